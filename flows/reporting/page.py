"""What a flow run's page in Prefect shows of each step; descriptions are Markdown, tables are text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.context import FlowRunContext

from tasks.dataset.validate import ValidationReport
from tasks.evaluation.report import EvaluationReport
from tasks.outlets.markup import to_markdown
from tasks.promotion.selection import Judged
from tasks.training.run_log import SAMPLES
from tasks.workspace.settings import Settings


def show_table(rows: Sequence[Mapping[str, Any]], key: str, text: str) -> None:
    """A table on the run's page, when there is a run; `text`, above it, is plain."""
    if FlowRunContext.get() is not None:
        create_table_artifact([dict(row) for row in rows], key=key, description=to_markdown(text))


def show_link(url: str, key: str, text: str) -> None:
    """A link on the run's page, when there is a run."""
    if FlowRunContext.get() is not None:
        create_link_artifact(url, link_text=to_markdown(text), key=key)


def show_validation(report: ValidationReport) -> None:
    """The expectations, and the rows that failed them, as tables on the run's page."""
    checks = [check.model_dump() for check in report.checks]
    show_table(checks, "validation", f"Suite {report.suite}; Data Docs: {report.data_docs}")
    if report.failures:
        failures = [failure.model_dump() for failure in report.failures[:500]]
        show_table(failures, "failing-images", f"Contact sheet: {report.contact_sheet}")


def show_samples(settings: Settings, run_id: str, path: Path) -> None:
    """One frame of the training's film strip, on the run's page as soon as it is made."""
    show_picture(settings, run_id, path, SAMPLES, path.stem, f"Samples at update {int(path.stem[8:]):,}")


def show_figures(report: EvaluationReport) -> None:
    """The figures as a table on the run's page."""
    protocol = ", ".join(f"{name} {value}" for name, value in report.protocol.items())
    show_table([figure.model_dump() for figure in report.figures], "figures", f"Protocol: {protocol}")


def show_verdict(judged: Judged) -> None:
    """The verdict on the run's page."""
    if FlowRunContext.get() is not None:
        create_markdown_artifact(explain(judged), key="gate", description=to_markdown(judged.move.text))


def explain(judged: Judged) -> str:
    """The verdict as Markdown: the bounds that failed, those that were met, and the move."""
    broken = [f"- **broken**: {to_markdown(reason)}" for reason in judged.verdict.reasons]
    held = [f"- held: {to_markdown(reason)}" for reason in judged.verdict.held]
    return "\n".join([f"**{to_markdown(judged.move.text)}**", "", *broken, *held])


def show_picture(settings: Settings, run_id: str, path: Path, folder: str, key: str, text: str) -> None:
    """Show a picture stored in MLflow on the flow run's page; it is visible while the MLflow server is up."""
    if FlowRunContext.get() is None:
        return
    inside = f"{folder}/{path.name}" if folder else path.name
    url = f"{settings.mlflow_url}/get-artifact?path={inside}&run_uuid={run_id}"
    create_image_artifact(image_url=url, key=key, description=to_markdown(text))
