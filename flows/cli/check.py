"""`packshot check`: check pictures against a marketplace's rules, fix them, and show both results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from flows.reporting.console import ConsoleProgress, say, say_json, summary_table
from models.errors import InputError, PackshotError

if TYPE_CHECKING:
    from tasks.market.check import Report
    from tasks.market.fixes import FixPlan
    from tasks.market.rules import Market

COLOURS = {"fail": "red", "pass": "green"}
COLUMNS = ("rule", "", "measured", "required", "fix")


class Checked(NamedTuple):
    """A picture's report; if it was fixed, the result's report too, else why it was `left`."""

    before: Report
    after: Report | None = None
    left: str = ""
    notes: str = ""
    """The edit's notes, such as that the product's outline is doubtful."""

    @property
    def passed(self) -> bool:
        """Whether the picture, or its fixed version, meets every rule."""
        return (self.after or self.before).passed


def check_source(source: Path, market_name: str, as_json: bool, fix: bool, out: Path | None, overwrite: bool) -> int:
    """`packshot check`; the exit code is 0 when every picture, or its fixed version, meets every rule, else 1.

    Raises:
        InputError: no such market or picture, or a place to write to is missing or that of the originals.
    """
    from tasks.market.rules import load_market
    from tasks.photos.writing import refuse_original

    market = load_market(market_name)
    if not source.exists():
        raise InputError("IN", str(source), "a picture, or a folder that holds some")
    if fix != (out is not None):
        raise InputError("-o" if fix else "--fix", "nothing", "both or none: --fix mends, -o is where the result goes")
    if out is not None:
        refuse_original(source, out)
    checked = check_all(source, market, out, overwrite, quiet=as_json)
    if as_json:
        print_json(source, market, checked)
    elif source.is_dir():
        show_folder(source, market, checked)
    else:
        show_picture(market, checked[0])
    return 0 if all(one.passed for one in checked) else 1


def check_all(source: Path, market: Market, out: Path | None, overwrite: bool, quiet: bool) -> list[Checked]:
    """Each picture's reports; pictures are fixed when there is an `out`."""
    from tasks.market.check import check_pictures
    from tasks.photos.folders import find_pictures

    pictures = find_pictures(source, out or source).pictures if source.is_dir() else [source.name]
    folder = source if source.is_dir() else source.parent
    reports: list[Report] = []
    with ConsoleProgress("check") as watch:
        for report in check_pictures([folder / name for name in pictures], market):
            reports.append(report)
            if source.is_dir() and not quiet:
                watch.update(len(reports), len(pictures), PurePosixPath(pictures[len(reports) - 1]).name)
    if out is None:
        return [Checked(report) for report in reports]
    return mend_all(pictures, reports, market, out, source.is_dir(), overwrite)


def mend_all(
    pictures: Sequence[str], reports: Sequence[Report], market: Market, out: Path, into: bool, overwrite: bool
) -> list[Checked]:
    """Fix those that fail and can be fixed, `into` a folder or to the file `out`; the others are reported."""
    from tasks.market.check import check_picture

    plans, left = plan_all(reports, None if into or not out.suffix else out)
    targets = name_targets(pictures, plans, out) if into or not out.suffix else [out]
    checked = []
    for report, plan, reason, target in zip(reports, plans, left, targets, strict=True):
        if plan is None:
            checked.append(Checked(report, left=reason))
            continue
        try:
            notes = fix(report, plan, target, overwrite)
        except PackshotError as error:
            checked.append(Checked(report, left=str(error)))
        else:
            checked.append(Checked(report, check_picture(target, market), notes=notes))
    return checked


def plan_all(reports: Sequence[Report], out: Path | None) -> tuple[list[FixPlan | None], list[str]]:
    """The fix for each picture, or why there is none."""
    from flows.cli.edit import format_of
    from tasks.market.fixes import plan_fix

    plans: list[FixPlan | None] = []
    left: list[str] = []
    form = format_of(out) if out is not None else None
    for report in reports:
        try:
            plans.append(plan_fix(report, form))
            left.append("passes already" if report.passed else report.problem or "nothing of ours mends it")
        except PackshotError as error:
            plans.append(None)
            left.append(str(error))
    return plans, left


def name_targets(pictures: Sequence[str], plans: Sequence[FixPlan | None], out: Path) -> list[Path]:
    """Where each result goes: under `out`, named after its original, with its format's suffix."""
    from tasks.photos.folders import name_outputs

    named: dict[str, str] = {}
    for form in {plan.form for plan in plans if plan}:
        ours = [one for one, plan in zip(pictures, plans, strict=True) if plan and plan.form == form]
        named |= name_outputs(ours, f".{form}", {})
    return [out / named.get(one, one) for one in pictures]


def fix(report: Report, plan: FixPlan, target: Path, overwrite: bool) -> str:
    """Write what `plan` makes of the picture of `report`, and the trail of it; what the edit notes is returned.

    Raises:
        PackshotError: the picture is another by now, the edit cannot be done, or its result cannot be written.
    """
    from flows.cli.edit import write_edited

    return write_edited(Path(report.file), plan.job(overwrite), target, report.sha256).row.notes


def show_picture(market: Market, checked: Checked) -> None:
    """Each rule of one picture, before and after the fix."""
    show_report("" if checked.after is None else "before: ", market, checked.before)
    if checked.after is not None:
        show_report("after: ", market, checked.after)
        for note in checked.notes.split("; ") if checked.notes else ():
            say(f"note: {note}")
    elif checked.left:
        say(f"not fixed: {checked.left}")


def show_report(when: str, market: Market, report: Report) -> None:
    """A row for each rule, and a line with the outcome."""
    name = market.title or market.market
    if report.problem:
        say(f"{when}{report.file}: cannot be checked: {report.problem}")
        return
    rows = [(row.rule, verdict(row.passed), row.measured, row.required, row.fix) for row in report.rows]
    summary_table(f"{when}{report.file} for {name}", COLUMNS, rows, COLOURS)
    say(f"{when}{len(rows) - len(report.failed)} of {len(rows)} rules hold")


def show_folder(source: Path, market: Market, checked: Sequence[Checked]) -> None:
    """A row for each picture, then how many fail each rule."""
    rows = [(name_in(source, one.before), verdict(one.passed), what_fails(one.before), outcome(one)) for one in checked]
    summary_table(f"{source} for {market.title or market.market}", ("picture", "", "fails", "fixes"), rows, COLOURS)
    show_rules(market, checked)
    unread = sum(bool(one.before.problem) for one in checked)
    passed = sum(one.passed for one in checked)
    say(f"{passed} of {len(checked)} pictures meet every rule{f', {unread} could not be read' if unread else ''}")


def show_rules(market: Market, checked: Sequence[Checked]) -> None:
    """How many pictures fail each rule, before and, where there is an after, after."""
    from tasks.market.check import failing_rules

    before = failing_rules([one.before for one in checked])
    after = failing_rules([one.after or one.before for one in checked])
    is_fixed = any(one.after for one in checked)
    columns = ("rule", "fail before", "fail after") if is_fixed else ("rule", "fail")
    rows = [(name, before.get(name, 0), after.get(name, 0))[: len(columns)] for name in market.rules.named()]
    summary_table(f"{len(checked)} pictures", columns, rows)


def name_in(source: Path, report: Report) -> str:
    """The picture's name inside the folder that was checked."""
    return Path(report.file).relative_to(source).as_posix()


def verdict(passed: bool) -> str:
    """A cell of the tables."""
    return "pass" if passed else "fail"


def what_fails(report: Report) -> str:
    """The rules that fail, or why the picture could not be read."""
    return report.problem or ", ".join(row.rule for row in report.failed)


def outcome(checked: Checked) -> str:
    """What would fix a picture or, if that was tried, the outcome."""
    if checked.after is not None:
        said = f"{checked.after.file}: " + (what_fails(checked.after) or "all hold")
        return f"{said}; {checked.notes}" if checked.notes else said
    return checked.left or " ".join(checked.before.fixes)


def print_json(source: Path, market: Market, checked: Sequence[Checked]) -> None:
    """One report for a picture, a list for a folder; with the outcome where pictures were fixed."""
    found = [describe(one) for one in checked]
    passed = sum(one.passed for one in checked)
    whole = {"market": market.market, "passed": passed, "pictures": len(found), "reports": found}
    say_json(json.dumps(whole if source.is_dir() else found[0], indent=1, ensure_ascii=False))


def describe(checked: Checked) -> dict[str, object]:
    """The JSON of one picture."""
    before = checked.before.model_dump(mode="json")
    if checked.after is not None:
        return {"before": before, "after": checked.after.model_dump(mode="json"), "notes": checked.notes}
    return {"before": before, "left": checked.left} if checked.left else before
