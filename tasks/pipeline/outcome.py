"""What a step returns: its value, and a line that says what was done, or why nothing had to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from tasks.workspace.places import HomePath

Value = TypeVar("Value")


class StepSummary(BaseModel):
    """One row of a summary: the step, what it did and how long it took, and the hashes of its inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    what: str
    seconds: float
    inputs: str = ""
    skipped: bool = False

    @property
    def text(self) -> str:
        """What was done, or why nothing had to be."""
        return f"unchanged: {self.inputs}" if self.skipped else self.what


class TrainOutcome(BaseModel):
    """The outcome of the flow `train`: the version, the verdict, where to look, and a line per step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str
    version: int
    promoted: bool
    verdict: str
    run_id: str
    flow_run: str
    data_md5: str
    data_docs: HomePath
    onnx: HomePath
    report: HomePath
    lines: list[StepSummary]


@dataclass(frozen=True)
class StepResult(Generic[Value]):
    """A finished step."""

    value: Value
    line: StepSummary


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """A clock that gives the seconds since the block was entered."""
    started = time.monotonic()
    yield lambda: round(time.monotonic() - started, 2)
