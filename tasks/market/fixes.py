"""The fixes of a report as one edit: its operations in their order, and the format of the result."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, get_args

from tasks.editing.job import EditJob
from tasks.editing.parsing import parse_operation
from tasks.market.check import Report
from tasks.operations.contract.operation import Operation, Stage
from tasks.photos.formats import BY_SUFFIX, FileFormat

OPTION = "--format "
STAGES = get_args(Stage)


class FixPlan(NamedTuple):
    """What is done to a picture; without `operations` it is only rewritten, which converts and labels it."""

    operations: tuple[Operation, ...]
    form: FileFormat

    def job(self, overwrite: bool = False) -> EditJob:
        """The edit that does it; where pixels stay, no change is measured."""
        measured = bool(self.operations)
        return EditJob(operations=self.operations, form=self.form, measured=measured, overwrite=overwrite)


def plan_fix(report: Report, form: FileFormat | None = None) -> FixPlan | None:
    """The fix for the picture of `report`, written as `form`; None when nothing fails or nothing can be fixed.

    Each fix prepares the next: text is removed, the background made white, then the picture is enlarged,
    then framed. A white background also removes any text over it.

    Raises:
        InputError: a fix names an operation that does not exist.
    """
    options = [fix for fix in report.fixes if fix.startswith("--")]
    texts = [fix for fix in report.fixes if not fix.startswith("--")]
    if not options and not texts:
        return None
    whitened = any(name_of(text) == "background" for text in texts)
    kept = [text for text in texts if not (whitened and name_of(text) == "inpaint")]
    operations = sorted(map(parse_operation, kept), key=lambda operation: STAGES.index(operation.stage))
    return FixPlan(tuple(operations), form or _choose_format(Path(report.file), options))


def name_of(fix: str) -> str:
    """The operation that a fix names."""
    return fix.partition(":")[0].partition(",")[0]


def _choose_format(source: Path, options: list[str]) -> FileFormat:
    """The format a rule asks for, else the picture's own if it can be written, else PNG."""
    asked = [option.removeprefix(OPTION) for option in options if option.startswith(OPTION)]
    if asked:
        return asked[0]
    own = BY_SUFFIX.get(source.suffix.lower())
    return own.key if own and own.written else "png"
