"""What becomes a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.dataset.prepared import PreparedSet
    from tasks.dataset.validate import ValidationReport
    from tasks.evaluation.report import EvaluationReport
    from tasks.training.result import FitResult


@dataclass(frozen=True)
class Candidate:
    """A finished training with its evaluation, and the data that it was made from and how they were judged."""

    fitted: FitResult
    report: EvaluationReport
    prepared: PreparedSet
    validation: ValidationReport
    tags: Mapping[str, str]
    """Of the commit and the flow run that made it."""
