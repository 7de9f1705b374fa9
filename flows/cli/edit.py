"""`packshot edit`: one photograph directly, a folder as a run of the flow `edit`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flows.processes.prefect_server import with_prefect
from flows.reporting.console import say, summary_table
from models.errors import InputError
from tasks.photos.formats import WRITTEN, WRITTEN_SUFFIXES, FileFormat
from tasks.workspace.settings import Settings

if TYPE_CHECKING:
    from tasks.editing.apply import AppliedOperation
    from tasks.editing.changes import Change
    from tasks.editing.job import EditJob
    from tasks.editing.photo import EditedPhoto
    from tasks.editing.tally import BatchResult
    from tasks.operations.contract.operation import Operation

EXAMPLE = "a list of operations, such as --op enhance:auto; `packshot operations` lists them"


def show_operations() -> None:
    """`packshot operations`."""
    from tasks.operations.contract.discovery import list_operations, load_operation

    kinds = {name: load_operation(name) for name in list_operations()}
    rows = [
        (name, kind.value_field or "", "yes" if kind.may_alter_product else "no", kind.title)
        for name, kind in kinds.items()
    ]
    columns = ("operation", "NAME:VALUE is its", "may alter the product", "what it does")
    summary_table("operations of packshot edit, NAME[:VALUE][,key=value...]", columns, rows, {"yes": "yellow"})
    say("packshot operations NAME lists the parameters of one")


def show_parameters(name: str) -> None:
    """`packshot operations NAME`.

    Raises:
        InputError: there is no operation of that name.
    """
    from tasks.editing.parsing import describe_parameters
    from tasks.operations.contract.discovery import load_operation

    summary_table(name, ("parameter", "allowed", "unless given", "what it is"), describe_parameters(name))
    say(f"such as --op {shlex.quote(load_operation(name).example or name)}")


def read_edit(texts: Sequence[str], listed: Path | None, mask: Path | None) -> tuple[Operation, ...]:
    """The operations of `--ops`, then those of each `--op`.

    Raises:
        InputError: there are none, or one of them is wrong.
    """
    from tasks.editing.parsing import parse_operation, read_operations

    region = str(mask) if mask else None
    if mask is not None and not mask.is_file():
        raise InputError("--mask", str(mask), "a black and white picture, white where something is to be done")
    operations = read_operations(listed, region) if listed else ()
    operations += tuple(parse_operation(text, region) for text in texts)
    if not operations:
        raise InputError("--op", "nothing", EXAMPLE)
    return operations


def choose_format(source: Path, out: Path, asked: str | None) -> FileFormat:
    """The output format: `--format`, or the suffix of OUT; PNG for a folder.

    Raises:
        InputError: an unsupported format, or two different ones.
    """
    if asked is not None and asked not in WRITTEN:
        raise InputError("--format", asked, WRITTEN)
    if is_folder(source, out):
        return asked or "png"
    by_name = format_of(out)
    if asked not in (None, by_name):
        raise InputError("--format", asked, f"{by_name}, as the name {out.name} says")
    return by_name


def format_of(out: Path) -> FileFormat:
    """What the name of a result says that it is written as.

    Raises:
        InputError: it ends in a suffix that is not written.
    """
    if out.suffix.lower() not in WRITTEN_SUFFIXES:
        raise InputError("-o", str(out), f"a folder, or a name that ends in {', '.join(WRITTEN_SUFFIXES)}")
    return WRITTEN_SUFFIXES[out.suffix.lower()]


def is_folder(source: Path, out: Path) -> bool:
    """Whether OUT is a folder: it is one, or IN is, or its name has no suffix."""
    return source.is_dir() or out.is_dir() or not out.suffix


def edit_pictures(source: Path, job: EditJob, out: Path) -> None:
    """`packshot edit`.

    Raises:
        InputError: IN does not exist, or OUT is the originals' place or inside it.
    """
    from tasks.photos.writing import refuse_original

    if not source.exists():
        raise InputError("IN", str(source), "a photograph, or a folder that holds some")
    refuse_original(source, out)
    if source.is_dir():
        edit_catalogue(source, job, out)
    else:
        edit_one(source, job, out / f"{source.stem}{job.suffix}" if is_folder(source, out) else out)


def edit_one(source: Path, job: EditJob, out: Path) -> None:
    """Edit one photograph in this process, without Prefect, and print what was done."""
    show_made(source, job, out, write_edited(source, job, out))


def write_edited(source: Path, job: EditJob, out: Path, sha256: str | None = None) -> EditedPhoto:
    """Edit one photograph into the file `out`, and record it in the lineage index.

    Raises:
        PackshotError: the photograph cannot be read or edited so, has another SHA-256 than was given, or another file
            is at `out`.
    """
    from serving.networks import RegistryNetworks
    from tasks.editing.photo import edit_on_record
    from tasks.photos.decoding import quiet_pillow
    from tasks.photos.photo_file import load_photo

    settings, plan, photo = Settings(), job.plan(), load_photo(source)
    if sha256 not in (None, photo.sha256):
        raise InputError("IN", str(source), "a file that stays as it is; run the same command again")
    with quiet_pillow():
        return edit_on_record(settings, plan, photo, out, RegistryNetworks(settings))


def show_made(source: Path, job: EditJob, out: Path, made: EditedPhoto) -> None:
    """Each operation with its networks, changes and notes, and the overall change."""
    from tasks.editing.job import name_operation

    columns = ("operation", "by", "may alter the product", "ΔE2000", "SSIM", "visibly changed", "time")
    rows = [
        (
            name_operation(operation),
            name_networks(step),
            "yes" if step.may_alter_product else "no",
            *cells(step.change),
            f"{step.seconds:.2f} s",
        )
        for operation, step in zip(job.operations, made.edited.steps, strict=True)
    ]
    summary_table(f"{source.name}: change inside the product, where one was found", columns, rows, {"yes": "yellow"})
    for note in made.notes:
        say(f"note: {note}")
    if made.edited.change is not None and len(rows) > 1:
        say(f"all together: {made.edited.change.text}")
    row = made.row
    say(f"{out}: {row.output_width}x{row.output_height}, marked {row.source_type}, in {row.seconds:.2f} s")


def name_networks(step: AppliedOperation) -> str:
    """The versions that a step used."""
    return ", ".join(f"{one.family} {one.slot}@{one.version}" for one in step.networks)


def cells(change: Change | None) -> tuple[str, str, str]:
    """Colour difference, SSIM and changed share of the product, else of the picture."""
    figures = change and (change.product or change.picture)
    if not figures:
        return "", "", ""
    return f"{figures.colour_mean:.2f}", f"{figures.ssim:.3f}", f"{figures.changed_share:.0%}"


def edit_catalogue(source: Path, job: EditJob, out: Path) -> None:
    """Edit a folder as a run of the flow `edit`; the exit code is 1 when a photograph was left out."""

    def run() -> BatchResult:
        from flows.edit import edit

        return edit(
            source=str(source.resolve()),
            operations=job.operations,
            out=str(out.resolve()),
            form=job.form,
            icc=job.icc,
            write=job.write,
            seed=job.seed,
            measured=job.measured,
            overwrite=job.overwrite,
        )

    result = with_prefect(Settings(), run)
    if result.reasons:
        rows = [(one.picture, one.status, one.reason) for one in result.reasons]
        title = "left out" if result.left_out == len(rows) else f"the first {len(rows)} of {result.left_out:,} left out"
        summary_table(title, ("photograph", "", "why"), rows, {"failed": "red"})
    say(result.text)
    say(f"one row a photograph: {result.table}")
    if result.left_out:
        raise typer.Exit(1)
