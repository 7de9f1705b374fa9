"""One photograph edited from file to file: read once, edited, and written with its record; originals stay."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from models.errors import InputError
from tasks.editing.apply import Edited, apply_edit
from tasks.editing.job import Plan, name_operation
from tasks.editing.journal import Entry
from tasks.editing.networks import Asked
from tasks.editing.table import Row
from tasks.editing.trail import EditedFile, record_edits, require_record
from tasks.operations.contract.operation import EditContext, Networks
from tasks.photos.photo_file import PhotoFile
from tasks.photos.reading import decode_picture
from tasks.photos.writing import encode_picture, write_image
from tasks.provenance.edited import EditRecord, StepRecord, fit
from tasks.provenance.embedded import Own, find_own
from tasks.provenance.record import Link, software
from tasks.provenance.source_type import judge_source_type
from tasks.workspace.settings import CheckoutFolders
from tasks.workspace.storage import digest_file


class EditedPhoto(NamedTuple):
    """A file that was written: its row in the table, the networks used, and what the edit measured."""

    row: Row
    networks: tuple[Asked, ...]
    edited: Edited
    notes: tuple[str, ...]
    ancestry: tuple[Link, ...]
    """What the original says that it was made from."""

    def entry(self, key: str, row: Row, flow_run: str) -> Entry:
        """The journal's entry of it, now."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return Entry(
            key=key,
            row=row,
            networks=self.networks,
            ancestry=self.ancestry,
            software=software(),
            created=now,
            flow_run=flow_run,
        )


def edit_on_record(
    settings: CheckoutFolders, plan: Plan, photo: PhotoFile, output: Path, networks: Networks
) -> EditedPhoto:
    """`edit_photo`, put on record in the lineage index.

    Raises:
        PackshotError: as there.
    """
    require_record(settings)
    made = edit_photo(plan, photo, output, networks)
    source = photo.path or Path()
    record_edits(settings, plan, [EditedFile(source, output, made.entry(photo.sha256, made.row, ""))])
    return made


def edit_photo(plan: Plan, photo: PhotoFile, output: Path, networks: Networks) -> EditedPhoto:
    """Edit a photograph, and write the result at `output`.

    For several threads; see `tasks.photos.reading.decode_picture`.

    Raises:
        CatalogueError: the photograph cannot be read.
        InputError: the operations do not fit it, or another file is at `output`.
        StorageError: the file cannot be written.
    """
    job, started = plan.job, time.monotonic()
    own, damage = find_ancestor(photo)
    check_free(plan, photo, own, output)
    opened = decode_picture(photo, job.icc)
    edited = apply_edit(opened.picture, job.operations, EditContext(networks, job.seed), measured=job.measured)
    check_files(plan)
    record = describe(plan, photo, own, opened.facts.source_type, edited)
    encoded = encode_picture(edited.picture, job.suffix, record, job.write, opened.exif)
    write_image(output, encoded, replace=True)
    notes = (*damage, *edited.picture.notes, *encoded.notes)
    product = edited.change.product if edited.change else None
    row = Row(
        input=photo.path.name if photo.path else "",
        output=output.name,
        status="edited",
        format=opened.facts.format,
        mode=opened.facts.mode,
        width=opened.facts.width,
        height=opened.facts.height,
        output_width=edited.picture.width,
        output_height=edited.picture.height,
        operations=" ".join(name_operation(one) for one in job.operations),
        versions=" ".join(f"{one.slot}@{one.version}" for one in edited.asked),
        source_type=record.source_type.rpartition("/")[2],
        may_alter_product=record.may_alter_product,
        product_delta_e=round(product.colour_mean, 3) if product else None,
        product_ssim=round(product.ssim, 4) if product else None,
        notes="; ".join(notes),
        seconds=round(time.monotonic() - started, 3),
        input_sha256=photo.sha256,
        output_sha256=encoded.sha256,
    )
    ancestry = own.links(photo.sha256) if own else ()
    return EditedPhoto(row, edited.asked, edited, notes, tuple(ancestry))


def find_ancestor(photo: PhotoFile) -> tuple[Own | None, tuple[str, ...]]:
    """What the photograph says of its own making, and a note where that was damaged."""
    try:
        return find_own(photo), ()
    except InputError as error:
        return None, (f"its own record was left out: {error}",)


def describe(plan: Plan, photo: PhotoFile, own: Own | None, stated: str, edited: Edited) -> EditRecord:
    """The record of an edited photograph, as it is embedded in the file; `stated` is the source type of the original.

    A picture that was only written anew is marked as its original was.
    """
    before = stated or (own.marked if own else "")
    markings = [step.marking for step in edited.steps]
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
            input_sha256=photo.sha256,
            steps=steps,
            written=plan.job.written,
            seed=plan.job.seed,
            source_type=judge_source_type(markings, before) if steps else before,
            may_alter_product=edited.may_alter_product,
            software=software(),
            ancestor=own,
        )
    )


def check_free(plan: Plan, photo: PhotoFile, own: Own | None, output: Path) -> None:
    """Refuse to overwrite any file but an earlier result of the same job on the same photograph.

    Raises:
        InputError: another file is at `output`, and the job does not allow overwriting.
    """
    if plan.job.overwrite or not output.exists():
        return
    asked = fit(
        EditRecord(
            input_sha256=photo.sha256,
            steps=tuple(
                StepRecord(op=one.op, parameters=named, may_alter_product=False)
                for one, named in zip(plan.job.operations, plan.parameters, strict=True)
            ),
            written=plan.job.written,
            seed=plan.job.seed,
            source_type="",
            may_alter_product=False,
            software="",
            ancestor=own,
        )
    )
    there = find_own(output) if output.is_file() else None
    if not isinstance(there, EditRecord) or not there.is_same_making(asked):
        raise InputError("output", str(output), "a name that no other file has; --overwrite replaces it")


def check_files(plan: Plan) -> None:
    """Refuse a result for which a mask or a style was read that is not the one on record.

    Raises:
        InputError: a file that a parameter names has changed since the job was planned.
    """
    for one in plan.files:
        path = Path(one.path)
        if not path.is_file() or digest_file(path) != one.sha256:
            raise InputError(one.role, one.path, "a file that stays as it is until the edit is done")
