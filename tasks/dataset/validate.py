"""Whether a catalogue is fit to train on, judged by a Great Expectations suite that names every failing image."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from models.errors import ValidationFailed
from tasks.dataset.suite import ExpectationResult, Suite
from tasks.workspace.code import digest_json
from tasks.workspace.places import HomePath
from tasks.workspace.storage import write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from tasks.catalogue.table import Catalogue
    from tasks.photos.contact_sheet import Entry

SUITES = Path(__file__).with_name("suites")
SHEET_IMAGES = 48
NAMED = 3


class Check(BaseModel):
    """One expectation of the suite: what it asks in words, what was observed, and how many rows failed it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expectation: str
    column: str
    expected: str
    passed: bool
    observed: str
    failed: int


class Failure(BaseModel):
    """One image that failed one expectation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: str
    file: str
    expectation: str
    found: str


class ValidationReport(BaseModel):
    """The result of validating a catalogue.

    `checks` are of the last validation: without the rows set aside. `failures` are of all rows, those set aside
    included. `refusal` says why a quarantine was not enough. `data_docs` is the index page of the Data Docs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    success: bool
    suite: str
    suite_digest: str
    evaluated: int
    checks: list[Check]
    failures: list[Failure]
    quarantined: list[str]
    refusal: str = ""
    data_docs: HomePath
    contact_sheet: HomePath | None


def suite_path(folder: Path) -> Path:
    """The suite that judges the catalogue in `folder`."""
    from tasks.catalogue.table import find_kind

    return SUITES / f"{find_kind(folder)}.json"


def validate_catalogue(
    catalogue: Catalogue,
    version_md5: str,
    home: Path,
    quarantine: bool = False,
    max_quarantined: float = 0.02,
) -> ValidationReport:
    """Judge every image of `catalogue` by the suite of its kind.

    With `quarantine` the products of failing rows are set aside and the rest is judged again; that succeeds when at
    most the share `max_quarantined` (0..1) of the images was set aside. Nothing is deleted. The report, the Data Docs
    and a contact sheet of failing images are under `HOME/validations/KEY/`.

    Raises:
        StorageError: the results cannot be written.
    """
    suite = json.loads((SUITES / f"{catalogue.kind}.json").read_text(encoding="utf-8"))
    suite_digest = digest_json(suite)
    key = digest_json({"data": version_md5, "suite": suite_digest, "quarantine": [quarantine, max_quarantined]})
    folder = home / "validations" / key
    table = complete_table(catalogue.table)
    judge = Suite(suite, catalogue.name, folder / "data-docs")
    first = last = judge.judge(table, "all images")
    quarantined = find_quarantined(table, first) if quarantine else []
    refusal = ""
    if quarantined:
        rest = catalogue.table[~catalogue.table["sku"].isin(quarantined)].reset_index(drop=True)
        refusal = refuse_quarantine(len(table) - len(rest), len(table), max_quarantined)
        if not refusal:
            last = judge.judge(complete_table(rest), "without the quarantined images")
    report = ValidationReport(
        key=key,
        success=not refusal and all(verdict.passed for verdict in last),
        suite=suite["name"],
        suite_digest=suite_digest,
        evaluated=len(table),
        checks=[read_check(verdict) for verdict in last],
        failures=name_failures(table, first),
        quarantined=[] if refusal else quarantined,
        refusal=refusal,
        data_docs=judge.write_docs(),
        contact_sheet=write_contact_sheet(catalogue, table, first, folder / "failing-images.png"),
    )
    kept = report.model_dump_json(indent=1, context={"home": home})
    write_atomically(folder / "report.json", kept.encode())
    return report


def require_valid(report: ValidationReport) -> None:
    """Raise an error unless the suite passed.

    Raises:
        ValidationFailed: with the number of failed expectations, the first three failures, and where to look.
    """
    if report.success:
        return
    failed = [check for check in report.checks if not check.passed]
    named = [f"{failure.sku} ({failure.file}): {failure.found}" for failure in report.failures[:NAMED]]
    whole = [f"{check.expected}: {check.observed}" for check in failed if not check.failed]
    examples = "; ".join([*whole, *named][:NAMED])
    reason = report.refusal or f"{len(failed)} of {len(report.checks)} expectations failed"
    sheet = f", failing images: {report.contact_sheet}" if report.contact_sheet else ""
    raise ValidationFailed(
        f"suite {report.suite}: {reason}, {len(report.failures):,} failures, first: {examples}; "
        f"Data Docs: {report.data_docs}{sheet}"
    )


def complete_table(table: pd.DataFrame) -> pd.DataFrame:
    """The catalogue's table with what suites judge beyond one row: `row`, `group_splits`, `category_images`, `_share`.

    What was measured on an undecodable image is blanked, so that such a row fails only once, for its problem.
    """
    given = table["split"].where(table["split"] != "")
    images = table.groupby("category")["sku"].transform("size")
    judged = table.assign(
        row=table.index,
        group_splits=given.groupby(table["group"]).transform("nunique"),
        category_images=images,
        category_share=images / len(table),
    )
    measured = ["mode", "width", "height", "frames", "mean", "std"]
    judged[measured] = judged[measured].astype(object).where(judged["problem"] == "", None)
    numeric = [column for column in measured if column != "mode"]
    judged[numeric] = judged[numeric].astype(float)
    return judged


def find_quarantined(table: pd.DataFrame, verdicts: Collection[ExpectationResult]) -> list[str]:
    """The sorted skus of rows that failed an expectation whose rows may be set aside."""
    rows = sorted({row for verdict in verdicts if verdict.may_set_aside for row in verdict.rows})
    return sorted(set(table["sku"].iloc[rows]))


def refuse_quarantine(aside: int, total: int, largest_share: float) -> str:
    """Why `aside` of `total` images must not be set aside, or ""."""
    if aside < total and aside <= largest_share * total:
        return ""
    share = f"{aside / total:.1%} of the images ({aside:,} of {total:,})"
    return f"quarantine would set aside {share}, at most {largest_share:.1%} may be"


def read_check(verdict: ExpectationResult) -> Check:
    """The report's line about one expectation."""
    return Check(
        expectation=verdict.type,
        column=verdict.column,
        expected=verdict.expected,
        passed=verdict.passed,
        observed=verdict.observed,
        failed=len(verdict.rows),
    )


def name_failures(table: pd.DataFrame, verdicts: Collection[ExpectationResult]) -> list[Failure]:
    """One failure for each failing row of each failed expectation."""
    return [
        Failure(sku=facts["sku"], file=facts["file"], expectation=verdict.expected, found=describe(verdict, facts))
        for verdict in verdicts
        for facts in table.iloc[list(verdict.rows)].to_dict("records")
    ]


def describe(verdict: ExpectationResult, facts: dict[Any, Any]) -> str:
    """What was found in a failing row, in the suite's words (`meta.found`) or as column and value."""
    if verdict.found:
        return verdict.found.format(**facts)
    return f"{verdict.column} = {facts.get(verdict.column)}"


def write_contact_sheet(
    catalogue: Catalogue, table: pd.DataFrame, verdicts: Collection[ExpectationResult], path: Path
) -> Path | None:
    """A PNG with the first failing images, each with its sku and what was found; None when no row failed."""
    from tasks.photos.contact_sheet import contact_sheet, save_sheet
    from tasks.photos.decoding import quiet_pillow
    from tasks.provenance.sheet import SheetRecord

    failed: dict[int, ExpectationResult] = {}
    for verdict in verdicts:
        for row in verdict.rows:
            failed.setdefault(row, verdict)
    if not failed:
        return None
    shown = f", the first {SHEET_IMAGES} of them" if len(failed) > SHEET_IMAGES else ""
    entries: list[Entry] = []
    with quiet_pillow():
        for row in sorted(failed)[:SHEET_IMAGES]:
            facts = table.iloc[row].to_dict()
            image = None if facts["problem"] else catalogue.image(row)
            entries.append((image, f"{facts['sku']}\n{describe(failed[row], facts)}"))
    title = f"{catalogue.name}: {len(failed):,} of {len(table):,} images failed{shown}"
    return save_sheet(contact_sheet(entries, title), path, SheetRecord(about=title))
