"""What a flow run's page in Prefect shows of each step."""

from __future__ import annotations

from pathlib import Path

from prefect.artifacts import (
    create_image_artifact,
    create_table_artifact,
)
from prefect.context import FlowRunContext

from tasks.dataset.validate import ValidationReport
from tasks.evaluation.report import EvaluationReport
from tasks.promotion.selection import Judged
from tasks.training.run_log import SAMPLES
from tasks.workspace.settings import Settings


def show_validation(report: ValidationReport) -> None:
    """The expectations, and the rows that failed them, as tables on the run's page."""
    checks = [check.model_dump() for check in report.checks]
    create_table_artifact(checks, key="validation", description=f"Suite {report.suite}; Data Docs: {report.data_docs}")
    if report.failures:
        failures = [failure.model_dump() for failure in report.failures[:500]]
        create_table_artifact(failures, key="failing-images", description=f"Contact sheet: {report.contact_sheet}")


def show_samples(settings: Settings, run_id: str, path: Path) -> None:
    """One frame of the training's film strip, on the run's page as soon as it is made."""
    show_picture(settings, run_id, path, SAMPLES, path.stem, f"Samples at update {int(path.stem[8:]):,}")


def show_figures(report: EvaluationReport) -> None:
    """The figures as a table on the run's page."""
    if FlowRunContext.get() is not None:
        rows = [figure.model_dump() for figure in report.figures]
        protocol = ", ".join(f"{name} {value}" for name, value in report.protocol.items())
        create_table_artifact(rows, key="figures", description=f"Protocol: {protocol}")


def explain(judged: Judged) -> str:
    """The verdict as Markdown: the bounds that failed, those that were met, and the move."""
    broken = [f"- **broken**: {reason}" for reason in judged.verdict.reasons]
    held = [f"- held: {reason}" for reason in judged.verdict.held]
    return "\n".join([f"**{judged.move.text}**", "", *broken, *held])


def show_picture(settings: Settings, run_id: str, path: Path, folder: str, key: str, text: str) -> None:
    """Show a picture stored in MLflow on the flow run's page; it is visible while the MLflow server is up."""
    if FlowRunContext.get() is None:
        return
    inside = f"{folder}/{path.name}" if folder else path.name
    url = f"{settings.mlflow_url}/get-artifact?path={inside}&run_uuid={run_id}"
    create_image_artifact(image_url=url, key=key, description=text)
