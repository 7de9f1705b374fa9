"""A folder of photographs, all edited in the same way: on all cores, in constant memory, and resumable after a kill."""

from __future__ import annotations

import errno
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Condition
from typing import TypeVar

import cv2

from models.errors import CatalogueError, InputError, PackshotError, StorageError
from tasks.editing.job import EditJob, Plan
from tasks.editing.journal import Entry, Journal
from tasks.editing.photo import edit_photo
from tasks.editing.table import TABLE, Row, Status, Table
from tasks.editing.tally import BatchResult, Finished, Tally
from tasks.operations.contract.operation import Networks
from tasks.photos.decoding import count_pixels, quiet_pillow
from tasks.photos.folders import find_pictures, name_outputs
from tasks.photos.photo_file import load_photo
from tasks.photos.writing import refuse_original
from tasks.workspace.code import digest_json
from tasks.workspace.places import place_inside
from tasks.workspace.progress import Progress
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file, locked, storage_errors

STATE = ".packshot"
"""In the folder of results: the journal and the lock."""
PIXELS_AT_ONCE = 24_000_000
"""The total for all photographs edited at once; a larger one is edited alone."""
WAITING = 4
"""Photographs per worker that may be started before the first of them is written to the table."""
LEFT_BY_A_KILL = re.compile(r"^\..+\.\d+-\d+\.part$")
A_NAMES_FAULT = (errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EILSEQ, errno.EINVAL)
Item = TypeVar("Item")
Made = TypeVar("Made")


def edit_folder(
    settings: Settings,
    job: EditJob,
    source: Path,
    out: Path,
    networks: Networks,
    progress: Progress,
    flow_run: str = "",
    workers: int | None = None,
) -> BatchResult:
    """Edit every picture under `source` into the same place under `out`, and write the table `out`/edits.csv.

    A photograph that cannot be edited is left out, with the reason. The same call again does what is missing: a result
    is kept when its input, its operations, its networks' versions and its own bytes are those in the journal.

    Raises:
        InputError: `out` is `source`, or there are no pictures.
        StorageError: the disk is full, or another process is editing into `out`.
        RegistryError: a network that an operation needs is not there.
    """
    check_folders(source, out)
    started, state, plan = time.monotonic(), out / STATE, job.plan()
    found = find_pictures(source, out)
    with (
        locked(state / "lock", 1.0, f"editing into {out}"),
        Journal(state / "journal.jsonl") as journal,
        Table(out / TABLE) as table,
        one_thread_a_picture(),
    ):
        remove_halves(out)
        outputs = name_outputs(found.pictures, job.suffix, journal.outputs)
        batch = Batch(plan, source, out, networks, journal, flow_run)
        tally = Tally(settings, plan, source)
        for done in in_order(batch.deal_with, outputs.items(), workers or os.cpu_count() or 1):
            table.add(done.row)
            tally.add(done)
            progress.update(tally.done, len(outputs), tally.note)
        tally.record()
    return tally.result(out, found.others, time.monotonic() - started)


class Batch:
    """One photograph at a time, by many threads at once."""

    def __init__(
        self, plan: Plan, source: Path, out: Path, networks: Networks, journal: Journal, flow_run: str
    ) -> None:
        self._plan, self._source, self._out, self._networks, self._journal = plan, source, out, networks, journal
        self._flow_run, self._budget = flow_run, Budget(PIXELS_AT_ONCE)

    def deal_with(self, item: tuple[str, str]) -> Finished:
        """Edit the picture `item[0]` into the file `item[1]`, keep what is there, or say why there is no result."""
        picture, name = item
        source, shown, started = self._source / picture, printable(picture), time.monotonic()
        try:
            target = place_result(self._out, name)
            photo = load_photo(source)
            key = digest_json([shown, photo.sha256, self._plan.digest])
            known = self._journal.find(key)
            if known is not None and self._holds(known, target):
                return Finished(known.row, known, target, kept=True)
            with self._budget.taking(count_pixels(photo)):
                made = edit_photo(self._plan, photo, target, self._networks)
        except PackshotError as error:
            reason = " ".join(str(error).removeprefix(f"{source}: ").split())
            return Finished(Row(input=shown, status=judge_error(error), reason=reason))
        except Exception as error:  # one that trips a library must not stop the other 9,999
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            return Finished(Row(input=shown, status="failed", reason=reason))
        seconds = round(time.monotonic() - started, 3)
        row = made.row.model_copy(update={"input": shown, "output": printable(name), "seconds": seconds})
        entry = made.entry(key, row, self._flow_run)
        self._journal.add(entry)
        return Finished(row, entry, target)

    def _holds(self, entry: Entry, output: Path) -> bool:
        """Whether the result is still there as it was written, by the versions that would be used now."""
        there = output.is_file() and digest_file(output) == entry.row.output_sha256
        return there and all(
            self._networks.network(one.slot, one.family).version == one.version for one in entry.networks
        )


class Budget:
    """Limits the photographs edited at once to `limit` pixels in total, but always allows one."""

    def __init__(self, limit: int) -> None:
        self._limit, self._taken, self._free = limit, 0, Condition()

    @contextmanager
    def taking(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for `pixels`, and give it back afterwards."""
        with self._free:
            self._free.wait_for(lambda: not self._taken or self._taken + pixels <= self._limit)
            self._taken += pixels
        try:
            yield
        finally:
            with self._free:
                self._taken -= pixels
                self._free.notify_all()


def in_order(work: Callable[[Item], Made], items: Iterable[Item], workers: int) -> Iterator[Made]:
    """The result of `work` for each item, in order, by `workers` threads that run little ahead of the consumer."""
    begun: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) >= WAITING * workers:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def judge_error(error: PackshotError) -> Status:
    """What an error says about its photograph; an error that every other photograph would meet too is raised again."""
    if isinstance(error, CatalogueError):
        return "broken"
    if isinstance(error, InputError):
        return "refused"
    cause = error.__cause__
    if isinstance(error, StorageError) and isinstance(cause, OSError) and cause.errno in A_NAMES_FAULT:
        return "refused"
    raise error


def check_folders(source: Path, out: Path) -> None:
    """Raise an InputError where results would lie among the originals, or `out` is a file."""
    refuse_original(source, out)
    if source.resolve().is_relative_to(out.resolve()):
        raise InputError("output", str(out), f"a folder that does not hold the originals, {source}")
    if out.exists() and not out.is_dir():
        raise InputError("output", str(out), "a folder, as the originals are one")
    for name in (STATE, f"{STATE}/lock", f"{STATE}/journal.jsonl", TABLE):
        place_inside(out, name, "output")


def place_result(out: Path, name: str) -> Path:
    """Where a result is written: a folder on the way that is a link to elsewhere is refused, a file is replaced."""
    parent, _, file = name.rpartition("/")
    return place_inside(out, parent, "output") / file if parent else out / file


def remove_halves(out: Path) -> None:
    """Remove the unfinished files that a killed run left."""
    for parent, folders, names in os.walk(out):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if LEFT_BY_A_KILL.match(name):
                with storage_errors(Path(parent, name)):
                    Path(parent, name).unlink(missing_ok=True)


def printable(name: str) -> str:
    """A file's name as text that every program can read; bytes that are not UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


@contextmanager
def one_thread_a_picture() -> Iterator[None]:
    """Keep OpenCV from using all cores for each of the pictures that are edited at once, and Pillow quiet."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with quiet_pillow():
            yield
    finally:
        cv2.setNumThreads(threads)
