"""A folder edited: nothing lost, nothing done twice, what is broken is named, in bounded memory and in order."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import ClassVar, Literal

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError, RegistryError, StorageError
from tasks.editing.batch import Budget, edit_folder, in_order
from tasks.editing.job import EditJob
from tasks.lineage.index import Lineage
from tasks.operations.contract.operation import Operation
from tasks.operations.degrade import Degrade
from tasks.provenance.embedded import find_own
from tasks.workspace.progress import NullProgress
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file, locked

BLUR = Degrade(kind="blur", amount=1)


class Nothing:
    """A toolbox of no networks."""

    def network(self, slot, family=None):
        raise RegistryError(f"slot: got {slot!r}, which has no versions")


class Numbered:
    """A toolbox whose only network has a version that may change."""

    def __init__(self, version):
        self.slot, self.version, self.family, self.facts = "numbers", version, "made-up", {}

    def network(self, slot, family=None):
        return self

    def run(self, **inputs):
        return inputs["image"] + self.version


class AddVersion(Operation):
    """Adds its network's version to every pixel; trips over pictures that are one pixel wide."""

    may_alter_product: ClassVar[bool] = False
    marking: ClassVar[str] = "none"
    title: ClassVar[str] = "For tests"
    op: Literal["add"] = "add"

    def apply(self, picture, context):
        if picture.width == 1:
            raise ZeroDivisionError("a defect")
        network = context.networks.network("numbers")
        return picture.with_pixels(network.run(image=picture.pixels).astype(np.uint8))


@pytest.fixture
def photos(tmp_path):
    """Six pictures of several modes, two of one stem, two that cannot be read, and one file that is no picture."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "photos"
    (folder / "schöne Fotos").mkdir(parents=True)
    base = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    for name, mode in (
        ("a.jpg", "RGB"),
        ("a.png", "P"),
        ("b c.png", "LA"),
        ("d.tif", "CMYK"),
        ("schöne Fotos/包.png", "RGBA"),
    ):
        base.convert("RGBA" if mode == "LA" else "RGB").convert(mode).save(folder / name)
    base.save(folder / "e.webp", lossless=True)
    (folder / "broken.jpg").write_bytes((folder / "a.jpg").read_bytes()[:400])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def run(tmp_path, photos):
    def edit(out="out", operations=(BLUR,), networks=None, **job):
        settings = Settings(PACKSHOT_HOME=tmp_path / "home")
        made = EditJob(operations=operations, **{"measured": False, **job})
        return edit_folder(settings, made, photos, tmp_path / out, networks or Nothing(), NullProgress(), workers=2)

    return edit


def rows(result):
    with result.table.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def files(folder):
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*.png")}


def test_every_photograph_has_a_result_or_a_reason_in_order(run, photos, tmp_path):
    result = run()
    assert (result.edited, result.broken, result.kept, result.failed, result.others) == (6, 2, 0, 0, 1)
    table = rows(result)
    assert [row["input"] for row in table] == sorted(row["input"] for row in table)
    by_name = {row["input"]: row for row in table}
    assert by_name["a.jpg"]["output"] == "a.jpg.png"
    assert by_name["a.png"]["output"] == "a.png.png"
    assert by_name["schöne Fotos/包.png"]["output"] == "schöne Fotos/包.png"
    assert (by_name["empty.png"]["status"], by_name["empty.png"]["reason"]) == ("broken", "empty: 0 bytes")
    assert by_name["broken.jpg"]["status"] == "broken"
    assert {one.picture for one in result.reasons} == {"broken.jpg", "empty.png"}
    for row in table:
        if row["status"] == "edited":
            path = tmp_path / "out" / row["output"]
            assert digest_file(path) == row["output_sha256"]
            assert find_own(path).input_sha256 == digest_file(photos / row["input"]) == row["input_sha256"]
    assert by_name["d.tif"]["mode"] == "CMYK"
    assert "degrade:blur" in by_name["d.tif"]["operations"]


def test_the_same_again_keeps_all_and_tells_the_same(run, tmp_path):
    first = run()
    table, before = rows(first), files(tmp_path / "out")
    again = run()
    assert (again.edited, again.kept, again.broken) == (0, 6, 2)
    assert files(tmp_path / "out") == before
    assert rows(again) == table


def test_what_was_lost_or_altered_is_made_again(run, photos, tmp_path):
    run()
    out = tmp_path / "out"
    whole = (out / "e.png").read_bytes()
    (out / "e.png").unlink()
    Image.new("RGB", (9, 9)).save(photos / "b c.png")
    again = run()
    assert (again.edited, again.kept, again.refused) == (1, 4, 1)  # b c.png is another photograph by now
    assert (out / "e.png").read_bytes() == whole
    assert {one.picture for one in again.reasons if one.reason.startswith("output: got ")} == {"b c.png"}
    assert run(overwrite=True).edited == 1
    with Image.open(out / "b c.png") as image:
        assert image.size == (9, 9)


def test_another_edit_or_another_ones_file_is_not_written_over(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "e.png").write_bytes(b"mine")
    assert run().refused == 1
    assert (tmp_path / "out" / "e.png").read_bytes() == b"mine"
    other = run(operations=(Degrade(kind="grayscale"),))
    assert (other.edited, other.refused) == (0, 6)
    assert run(operations=(Degrade(kind="grayscale"),), overwrite=True).edited == 6


def test_a_network_that_was_promoted_meanwhile_makes_all_again(run, tmp_path):
    assert run(operations=(AddVersion(),), networks=Numbered(1)).edited == 6
    assert run(operations=(AddVersion(),), networks=Numbered(1)).kept == 6
    again = run(operations=(AddVersion(),), networks=Numbered(2))
    assert (again.edited, again.kept) == (6, 0)
    assert {row["versions"] for row in rows(again)} == {"numbers@2", ""}
    assert find_own(tmp_path / "out" / "e.png").steps[0].networks[0].version == 2


def test_one_photograph_that_trips_an_operation_is_named_and_the_others_are_done(run, photos):
    Image.new("RGB", (1, 5)).save(photos / "thin.png")
    result = run(operations=(AddVersion(),), networks=Numbered(1))
    assert (result.edited, result.failed) == (6, 1)
    assert {one.picture: one.reason for one in result.reasons}["thin.png"] == "ZeroDivisionError: a defect"


def test_what_all_photographs_would_meet_stops_the_run(run, tmp_path):
    with pytest.raises(RegistryError, match="slot: got 'numbers'"):
        run(operations=(AddVersion(),))
    with (
        locked(tmp_path / "out" / ".packshot" / "lock", 1, "testing"),
        pytest.raises(StorageError, match="another process is editing into"),
    ):
        run()


def test_originals_are_out_of_reach(run, photos, tmp_path):
    for out in ("photos", "photos/edited", "."):
        with pytest.raises(InputError, match=r"^output: got "):
            run(out=out, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder, as the originals are one"):
        run(out="file")


def test_each_result_leads_back_to_its_original(run, photos, tmp_path):
    run()
    chain = Lineage(Settings(PACKSHOT_HOME=tmp_path / "home").home).trace(str(tmp_path / "out" / "e.png"))
    assert [node.id for node in chain.ancestors()] == [digest_file(photos / "e.webp")]
    assert chain.focus.attributes["operations"] == "degrade:blur,amount=1.0"
    forth = Lineage(Settings(PACKSHOT_HOME=tmp_path / "home").home).trace(digest_file(photos / "e.webp"))
    assert [images.total for images in forth.images.values()] == [1]


KILLED = """
import sys, time
from pathlib import Path
from tasks.editing import batch
from tests.unit.tasks.editing.test_batch import BLUR, Nothing
class Slow:
    def update(self, done, total, note=""):
        print(done, flush=True)
        time.sleep(0.2)
job = batch.EditJob(operations=(BLUR,), measured=False)
settings = batch.Settings(PACKSHOT_HOME=Path(sys.argv[1]) / "home")
batch.edit_folder(settings, job, Path(sys.argv[1]) / "photos", Path(sys.argv[1]) / "out", Nothing(), Slow(), workers=1)
"""


def test_a_killed_run_is_gone_on_with(run, photos, tmp_path):
    source = (photos / "a.jpg").read_bytes()
    for number in range(20):
        (photos / f"more {number:02d}.jpg").write_bytes(source)
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, env=paths, text=True
    )
    with process:
        for line in process.stdout:
            if int(line) == 8:
                process.send_signal(signal.SIGKILL)
                break
    (tmp_path / "out" / ".e.png.123-456.part").write_bytes(b"half")
    before = files(tmp_path / "out")
    resumed = run()
    assert 0 < resumed.kept < 26
    assert resumed.kept + resumed.edited == 26
    assert {name: time for name, time in files(tmp_path / "out").items() if name in before} == before
    assert not list((tmp_path / "out").glob(".*.part"))
    at_once = run(out="at once")
    assert [{**row, "seconds": ""} for row in rows(resumed)] == [{**row, "seconds": ""} for row in rows(at_once)]


def test_work_is_begun_a_little_ahead_and_given_in_order():
    begun, wait = [], threading.Event()

    def work(number):
        begun.append(number)
        if number == 0:
            wait.wait(10)
        return number

    given = in_order(work, range(100), workers=2)
    thread = threading.Timer(0.3, wait.set)
    thread.start()
    assert next(given) == 0
    assert len(begun) <= 8
    assert list(given) == list(range(1, 100))
    thread.join()


def test_the_budget_lets_small_ones_in_together_and_a_large_one_alone():
    budget, most, now, lock = Budget(10), [0], [0], threading.Lock()

    def take(pixels):
        with budget.taking(pixels):
            with lock:
                now[0] += pixels
                most[0] = max(most[0], now[0])
            time.sleep(0.01)
            with lock:
                now[0] -= pixels

    threads = [threading.Thread(target=take, args=(pixels,)) for pixels in (4, 4, 4, 25, 4, 4, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 25


@pytest.mark.parametrize("planted", [".packshot", ".packshot/journal.jsonl", ".packshot/lock", "edits.csv"])
def test_a_planted_link_in_the_results_is_refused_and_what_it_points_to_is_kept(run, tmp_path, planted):
    out, mine = tmp_path / "out", tmp_path / "mine"
    (out / planted).parent.mkdir(parents=True)
    mine.mkdir() if planted == ".packshot" else mine.write_text("kept")
    (out / planted).symlink_to(mine)
    with pytest.raises(InputError, match=r"^output: got .* without links"):
        run()
    assert list(mine.iterdir()) == [] if mine.is_dir() else mine.read_text() == "kept"


def test_a_sub_folder_of_the_results_that_is_a_link_is_not_written_into(run, tmp_path, photos):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    (photos / "sub").mkdir()
    Image.new("RGB", (8, 8)).save(photos / "sub" / "s.png")
    out.mkdir()
    elsewhere.mkdir()
    (out / "sub").symlink_to(elsewhere)
    result = run()
    (left,) = [one for one in result.reasons if one.picture == "sub/s.png"]
    assert (left.status, "without links" in left.reason, list(elsewhere.iterdir())) == ("refused", True, [])


@pytest.mark.parametrize("name", ["../evil.png", "/{}/evil.png", "a/../../evil.png", "..\\evil.png"])
def test_a_planted_journal_names_no_file_outside_of_the_results(run, tmp_path, name):
    out = tmp_path / "out"
    first = run()
    journal = out / ".packshot" / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        line["key"], line["row"]["output"] = "planted", name.format(tmp_path)
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = sorted(path for path in tmp_path.rglob("*.png") if "out" not in path.parts)
    assert run(overwrite=True).edited == first.edited
    assert sorted(path for path in tmp_path.rglob("*.png") if "out" not in path.parts) == before
