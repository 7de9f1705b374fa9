"""The fixes of a report as one edit: its operations in their order, and the format of the result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast

from models.errors import InputError
from tasks.editing.job import FileFormat
from tasks.editing.parsing import parse_operation
from tasks.market.check import Report
from tasks.market.header import read_header
from tasks.operations.contract.operation import Operation
from tasks.photos.reading import SUFFIXES, read_picture
from tasks.photos.writing import SUFFIXES as WRITTEN
from tasks.photos.writing import write_picture
from tasks.provenance.edited import GENERATED

ORDER = ("inpaint", "background", "upscale", "frame")
OPTION = "--format "
FORMS: dict[str, FileFormat] = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "TIFF": "tif"}


class FixPlan(NamedTuple):
    """What is done to a picture; without `operations` it is only written anew, which converts it and labels it."""

    operations: tuple[Operation, ...]
    form: FileFormat


def plan_fix(report: Report, form: FileFormat | None = None) -> FixPlan | None:
    """What would mend the picture of `report`, written as `form`; None where there is nothing to do or to be done.

    What comes first is what the next needs: text is taken out, the background made white, then the picture enlarged,
    then framed. A white background takes the text over it out as well.

    Raises:
        InputError: a fix names an operation that is not there.
    """
    options = [fix for fix in report.fixes if fix.startswith("--")]
    texts = [fix for fix in report.fixes if not fix.startswith("--")]
    if not options and not texts:
        return None
    whitened = any(name_of(text) == "background" for text in texts)
    kept = [text for text in texts if not (whitened and name_of(text) == "inpaint")]
    operations = tuple(parse_operation(text) for text in sorted(kept, key=lambda text: ORDER.index(name_of(text))))
    return FixPlan(operations, form or _choose_format(Path(report.file), options))


def name_of(fix: str) -> str:
    """The operation that a fix names."""
    return fix.partition(":")[0].partition(",")[0]


def _choose_format(source: Path, options: list[str]) -> FileFormat:
    """What a rule asks for, else the picture's own where it can be written, else PNG."""
    asked = [option.removeprefix(OPTION) for option in options if option.startswith(OPTION)]
    if asked:
        return cast(FileFormat, asked[0])
    own = (name for name, suffixes in SUFFIXES.items() if source.suffix.lower() in suffixes)
    return FORMS.get(next(own, ""), "png")


def rewrite(source: Path, out: Path, overwrite: bool = False) -> None:
    """Write the picture at `source` at `out`, in sRGB and in the format that its suffix says, with its label.

    Raises:
        CatalogueError: it cannot be read.
        InputError: another file is at `out`, or no format is written for its suffix.
        StorageError: the file cannot be written.
    """
    if out.exists() and not overwrite:
        raise InputError("output", str(out), "a name that no other file has; --overwrite replaces it")
    if out.suffix.lower() not in WRITTEN:
        raise InputError("output", str(out), f"a name that ends in {', '.join(WRITTEN)}")
    picture, header = read_picture(source).picture, read_header(source)
    label = picture.source_type or (GENERATED if header.generated_by else "")
    write_picture(replace(picture, source_type=label), out)
