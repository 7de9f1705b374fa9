"""A picture checked against a marketplace's rules: what was measured, what is required, and what would fix it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from models.errors import CatalogueError, InputError
from models.imaging.cutout.matte import find_product
from tasks.market.evidence import Evidence, FindProduct, gather_evidence
from tasks.market.measurements import measure, require
from tasks.market.rules import Market, Rule
from tasks.photos.decoding import quiet_pillow
from tasks.photos.photo_file import load_photo

THREADS = 2  # each holds a picture, its mask and OpenCV's own threads


class Row(BaseModel):
    """One rule's result; `fix` is an `--op`, or an option of `packshot edit`, that would fix it, or ""."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    rule: str
    passed: bool = Field(serialization_alias="pass")
    measured: str
    required: str
    fix: str = ""


class Report(BaseModel):
    """One picture against one market; `problem` says why it could not be read, in which case there are no rows."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    file: str
    sha256: str = Field(default="", description="of the bytes that were judged; empty where none could be read")
    market: str
    passed: bool = Field(serialization_alias="pass")
    rows: tuple[Row, ...] = ()
    problem: str = ""

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows of rules that fail."""
        return tuple(row for row in self.rows if not row.passed)

    @property
    def fixes(self) -> tuple[str, ...]:
        """The fixes for the failing rules, each once, in the order in which to apply them."""
        return tuple(dict.fromkeys(row.fix for row in self.failed if row.fix))


def check_picture(path: Path, market: Market, find_product: FindProduct = find_product) -> Report:
    """Check the picture at `path` against `market`; an unreadable file gives a report with its problem."""
    with quiet_pillow():
        return _check(path, market, find_product)


def check_pictures(paths: Sequence[Path], market: Market, find_product: FindProduct = find_product) -> Iterator[Report]:
    """The reports of several pictures, in their order, made on two cores."""
    with quiet_pillow(), ThreadPoolExecutor(max_workers=THREADS) as pool:
        yield from pool.map(partial(_check, market=market, find_product=find_product), paths)


def judge(evidence: Evidence, market: Market) -> tuple[Row, ...]:
    """A row for each rule of `market`."""
    return tuple(_judge_one(name, rule, evidence, market) for name, rule in market.rules.named().items())


def failing_rules(reports: Iterable[Report]) -> dict[str, int]:
    """How many pictures fail each rule, the most frequent first."""
    names = [row.rule for report in reports for row in report.failed]
    return dict(sorted(((name, names.count(name)) for name in dict.fromkeys(names)), key=lambda one: -one[1]))


def _check(path: Path, market: Market, find_product: FindProduct) -> Report:
    sha256 = ""
    try:
        photo = load_photo(path)
        sha256 = photo.sha256
        rows = judge(gather_evidence(photo, find_product), market)
    except (CatalogueError, InputError) as error:
        problem = str(error).removeprefix(f"{path}: ")
        return Report(file=str(path), sha256=sha256, market=market.market, passed=False, problem=problem)
    passed = all(row.passed for row in rows)
    return Report(file=str(path), sha256=sha256, market=market.market, passed=passed, rows=rows)


def _judge_one(name: str, rule: Rule, evidence: Evidence, market: Market) -> Row:
    found = measure(name, rule, evidence, market.rules)
    fix = "" if found.passed else found.fix
    return Row(rule=name, passed=found.passed, measured=found.measured, required=require(name, rule), fix=fix)
