"""One photograph edited from file to file: read, edited, and written with its record; originals are never replaced."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from models.errors import CatalogueError, InputError
from tasks.editing.apply import Edited, apply_edit
from tasks.editing.journal import Asked, Entry
from tasks.editing.table import Row
from tasks.operations.contract.operation import EditContext, Network, Networks, Operation
from tasks.photos.decoding import DECODE_ERRORS
from tasks.photos.reading import Icc, Opened, decode_picture
from tasks.photos.writing import WriteOptions, encode_picture
from tasks.provenance.edited import EditRecord, StepRecord, find_record, fit, judge_source_type, software, to_texts
from tasks.workspace.code import digest_json
from tasks.workspace.storage import digest_file, write_atomically

FileFormat = Literal["png", "jpg", "webp", "tif"]
FILES = ("mask", "style")
"""Parameters whose text may be a file's path."""


class EditJob(BaseModel):
    """What is done to each photograph, and how the result is written; equal jobs make equal bytes of equal inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operations: tuple[SerializeAsAny[Operation], ...] = Field(min_length=1)
    form: FileFormat = "png"
    icc: Icc = "srgb"
    write: WriteOptions = WriteOptions()
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    measured: bool = True
    """Whether the change inside the product is measured, which takes longer than most operations."""
    overwrite: bool = False

    @property
    def suffix(self) -> str:
        """What the name of a result ends in."""
        return f".{self.form}"

    @property
    def written(self) -> dict[str, Any]:
        """How results are written, as their records have it."""
        return {"format": self.form, "icc": self.icc, **self.write.model_dump()}

    def plan(self) -> Plan:
        """The job with what is worked out once for all photographs.

        Raises:
            InputError: a mask is not there.
        """
        named = [found for one in self.operations for found in _files_in(one.model_dump(mode="json", exclude={"op"}))]
        digests = {(file.role, file.path): file.sha256 for file in named}
        parameters = tuple(
            _with_digests(one.model_dump(mode="json", exclude={"op"}), digests) for one in self.operations
        )
        return Plan(
            self,
            parameters,
            tuple(named),
            digest_json([[one.op for one in self.operations], parameters, self.written, self.seed]),
        )


class NamedFile(NamedTuple):
    """A file that an operation's parameter, its `role`, names."""

    role: str
    path: str
    sha256: str


class Plan(NamedTuple):
    """A job, its operations' parameters with each file by its SHA-256, and the digest of all that a result depends on.

    Beside the digest, a result depends on its input and on the versions of the networks alone.
    """

    job: EditJob
    parameters: tuple[dict[str, Any], ...]
    files: tuple[NamedFile, ...]
    digest: str


class EditedFile(NamedTuple):
    """An original, what it became, and the journal's entry of it."""

    source: Path
    output: Path
    entry: Entry


class Listening:
    """A toolbox that notes what one photograph's operations ask it for."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self.used: dict[Asked, None] = {}

    def network(self, slot: str, family: str | None = None) -> Network:
        """What the toolbox gives."""
        found = self._networks.network(slot, family)
        self.used[Asked(slot=slot, family=family, version=found.version)] = None
        return found


class EditedPhoto(NamedTuple):
    """A file that was written: its row in a table, the networks it was made by, and what the edit found out."""

    row: Row
    networks: tuple[Asked, ...]
    edited: Edited
    notes: tuple[str, ...]


def edit_photo(plan: Plan, source: Path, digest: str, output: Path, networks: Networks) -> EditedPhoto:
    """Edit the photograph in the file `source`, whose SHA-256 is `digest`, and write the result at `output`.

    For several threads; see `tasks.photos.reading.decode_picture`.

    Raises:
        CatalogueError: the photograph cannot be read.
        InputError: the operations do not fit it, or another file is at `output`.
        StorageError: the file cannot be written.
    """
    job, started = plan.job, time.monotonic()
    check_free(plan, digest, output)
    listening = Listening(networks)
    opened = decode_picture(source, job.icc)
    edited = apply_edit(opened.picture, job.operations, EditContext(listening, job.seed), measured=job.measured)
    record = describe(plan, opened, edited)
    encoded = encode_picture(edited.picture, job.suffix, job.write, to_texts(record), opened.exif)
    write_atomically(output, encoded.content)
    notes = (*edited.picture.notes, *encoded.notes)
    product = edited.change.product if edited.change else None
    row = Row(
        input=source.name,
        output=output.name,
        status="edited",
        format=opened.facts.format,
        mode=opened.facts.mode,
        width=opened.facts.width,
        height=opened.facts.height,
        output_width=edited.picture.width,
        output_height=edited.picture.height,
        operations=" ".join(name_operation(one) for one in job.operations),
        versions=" ".join(f"{one.slot}@{one.version}" for one in listening.used),
        source_type=record.source_type.rpartition("/")[2],
        may_alter_product=record.may_alter_product,
        product_delta_e=round(product.colour_mean, 3) if product else None,
        product_ssim=round(product.ssim, 4) if product else None,
        notes="; ".join(notes),
        seconds=round(time.monotonic() - started, 3),
        input_sha256=opened.facts.sha256,
        output_sha256=hashlib.sha256(encoded.content).hexdigest(),
    )
    return EditedPhoto(row, tuple(listening.used), edited, notes)


def describe(plan: Plan, opened: Opened, edited: Edited) -> EditRecord:
    """The record of an edited photograph, as it is embedded in the file."""
    steps = tuple(
        StepRecord(
            op=step.op,
            parameters=parameters,
            may_alter_product=step.may_alter_product,
            networks=step.networks,
        )
        for step, parameters in zip(edited.steps, plan.parameters, strict=True)
    )
    return fit(
        EditRecord(
            input_sha256=opened.facts.sha256,
            steps=steps,
            written=plan.job.written,
            seed=plan.job.seed,
            source_type=judge_source_type(steps, opened.facts.source_type),
            may_alter_product=edited.may_alter_product,
            software=software(),
        )
    )


def check_free(plan: Plan, digest: str, output: Path) -> None:
    """Refuse to write over another file than an earlier result of the same job on the same photograph.

    Raises:
        InputError: another file is at `output`, and the job does not say that it may be written over.
    """
    if plan.job.overwrite or not output.exists():
        return
    asked = fit(
        EditRecord(
            input_sha256=digest,
            steps=tuple(
                StepRecord(op=one.op, parameters=named, may_alter_product=False)
                for one, named in zip(plan.job.operations, plan.parameters, strict=True)
            ),
            written=plan.job.written,
            seed=plan.job.seed,
            source_type="",
            may_alter_product=False,
            software="",
        )
    )
    there = find_record(output) if output.is_file() else None
    if there is None or not there.is_same_making(asked):
        raise InputError("output", str(output), "a name that no other file has; --overwrite replaces it")


def make_entry(key: str, made: EditedPhoto, row: Row, flow_run: str) -> Entry:
    """The journal's entry of a photograph that was edited now."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return Entry(key=key, row=row, networks=made.networks, software=software(), created=now, flow_run=flow_run)


def digest_photo(path: Path) -> str:
    """SHA-256 of a photograph's file.

    Raises:
        CatalogueError: it cannot be read.
    """
    try:
        return digest_file(path)
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def count_pixels(path: Path) -> int:
    """The pixels of a photograph, by its header; 0 when it has none that can be read."""
    try:
        with Image.open(path) as image:
            return image.width * image.height
    except (*DECODE_ERRORS, Image.DecompressionBombError):
        return 0


def name_operation(operation: Operation) -> str:
    """The operation as `--op` takes it, with the parameters that are not the defaults."""
    given = operation.model_dump(mode="json", exclude_defaults=True, exclude={"op"})
    value = getattr(operation, operation.value_field) if operation.value_field else None
    given.pop(operation.value_field or "", None)
    pairs = "".join(f",{name}={'...' if isinstance(one, (dict, list)) else one}" for name, one in given.items())
    return f"{operation.op}{'' if value is None else f':{value}'}{pairs}"


def _files_in(values: dict[str, Any]) -> Iterator[NamedFile]:
    """The files that an operation's parameters name, at any depth."""
    for role, value in values.items():
        if isinstance(value, dict):
            yield from _files_in(value)
        elif role in FILES and isinstance(value, str) and Path(value).is_file():
            yield NamedFile(role, value, digest_file(Path(value)))


def _with_digests(values: dict[str, Any], digests: dict[tuple[str, str], str]) -> dict[str, Any]:
    """The parameters with each file by its SHA-256 instead of its path."""
    return {
        name: _with_digests(value, digests)
        if isinstance(value, dict)
        else f"sha256:{digests[name, value]}"
        if isinstance(value, str) and (name, value) in digests
        else value
        for name, value in values.items()
    }
