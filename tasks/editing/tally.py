"""The outcome of a batch: counts, the first reasons, and each result's entry in the lineage index."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from tasks.editing.job import Plan
from tasks.editing.journal import Entry
from tasks.editing.table import TABLE, Row, Status
from tasks.editing.trail import EditedFile, record_edits
from tasks.workspace.settings import Settings

RECORDED_AT_ONCE = 200
REASONS = 10


class Reason(BaseModel):
    """Why a photograph has no result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    picture: str
    status: Status
    reason: str


class BatchResult(BaseModel):
    """The outcome of a batch: `edited` now, `kept` from an earlier run of the same edit, and what was left out and why.

    `reasons` covers the first of those left out (the table has them all); `others` are files that are not pictures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    table: Path
    edited: int
    kept: int
    broken: int
    refused: int
    failed: int
    others: int
    reasons: list[Reason]
    seconds: float

    @property
    def left_out(self) -> int:
        """The number of photographs without a result."""
        return self.broken + self.refused + self.failed

    @property
    def text(self) -> str:
        """One line for people."""
        names = ("edited", "kept", "broken", "refused", "failed", "others")
        words = {"kept": "done before", "others": "other files"}
        counts = [f"{value:,} {words.get(name, name)}" for name in names if (value := getattr(self, name))]
        return f"{', '.join(counts)} in {self.seconds:.1f} s"


class Finished(NamedTuple):
    """One processed photograph; `entry` is None when it has no result."""

    row: Row
    entry: Entry | None = None
    output: Path = Path()
    kept: bool = False


@dataclass
class Tally:
    """Counts processed photographs and passes them to the lineage index a few hundred at a time."""

    settings: Settings
    plan: Plan
    source: Path
    counts: Counter[str] = field(default_factory=Counter)
    reasons: list[Reason] = field(default_factory=list)
    waiting: list[EditedFile] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.counts.total()

    @property
    def note(self) -> str:
        """The number left out so far, as text."""
        left_out = self.done - self.counts["edited"] - self.counts["kept"]
        return f"photos, {left_out} left out" if left_out else "photos"

    def add(self, done: Finished) -> None:
        """Count one photograph."""
        self.counts["kept" if done.kept else done.row.status] += 1
        if done.entry is None:
            if len(self.reasons) < REASONS:
                self.reasons.append(Reason(picture=done.row.input, status=done.row.status, reason=done.row.reason))
            return
        self.waiting.append(EditedFile(self.source / done.row.input, done.output, done.entry))
        if len(self.waiting) >= RECORDED_AT_ONCE:
            self.record()

    def record(self) -> None:
        """Write everything pending to the lineage index."""
        record_edits(self.settings, self.plan, self.waiting)
        self.waiting.clear()

    def result(self, out: Path, others: int, seconds: float) -> BatchResult:
        """The outcome of the whole batch."""
        names = ("edited", "kept", "broken", "refused", "failed")
        return BatchResult(
            folder=out,
            table=out / TABLE,
            others=others,
            reasons=self.reasons,
            seconds=round(seconds, 2),
            **{name: self.counts[name] for name in names},
        )
