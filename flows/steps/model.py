"""The steps as Prefect tasks: Prefect adds retries, states, progress and artifacts to `tasks.pipeline.steps`."""

from __future__ import annotations

from functools import partial
from typing import Any

from flows.reporting.page import show_figures, show_link, show_samples
from flows.reporting.watch import step_progress
from flows.steps.declaration import flow_run_id, step
from models.families.family import FamilyConfig
from tasks.dataset.prepared import PreparedSet
from tasks.dataset.validate import ValidationReport
from tasks.evaluation.report import REPORT, EvaluationReport, evaluation_folder
from tasks.evaluation.ruler import RulerFile, ensure_ruler, register_ruler
from tasks.evaluation.yardstick import Yardstick
from tasks.pipeline.outcome import StepResult, StepSummary, TrainOutcome, timed
from tasks.pipeline.steps import ensure_training
from tasks.promotion.kinds import slot_kind
from tasks.promotion.selection import Judged
from tasks.registry.loading import VersionInfo
from tasks.training.result import FitResult
from tasks.versions.resolution import CatalogueVersion
from tasks.workspace.settings import Settings


@step("ruler", retries=2, retry_delay_seconds=5)
def ruler(settings: Settings, prepared: PreparedSet) -> StepResult[RulerFile]:
    """Find or train the ruler that measures this catalogue, and register it in MLflow."""
    with step_progress("ruler") as watch, timed() as seconds:
        found = ensure_ruler(settings, prepared.catalogue, prepared, watch)
        version = register_ruler(settings, prepared.catalogue, found)
    what = f"version {version}, {found.source}, accuracy {found.accuracy:.4f}, sha256 {found.digest[:8]}"
    return StepResult(
        found, StepSummary(step="ruler", what=what, seconds=seconds(), inputs=f"weights {found.digest[:8]}")
    )


@step("fit", retries=3, retry_delay_seconds=[5, 20, 60])
def fit(
    settings: Settings, prepared: PreparedSet, recipe: FamilyConfig, measuring: RulerFile | None, tags: dict[str, str]
) -> StepResult[FitResult]:
    """Train, or resume a training that was stopped."""
    with step_progress("fit") as watch:
        done = ensure_training(settings, prepared, recipe, measuring, tags, watch, partial(show_samples, settings))
    run_id = done.value.run_id
    show_link(f"{settings.mlflow_url}/#/runs/{run_id}", "mlflow-run", f"MLflow run {run_id}")
    return done


@step("evaluate")
def evaluate(settings: Settings, fitted: FitResult, yardstick: Yardstick) -> StepResult[EvaluationReport]:
    """Judge the exported network on the test split."""
    with step_progress("evaluate") as watch:
        done = slot_kind(fitted.family).evaluate(settings.home, fitted.onnx, fitted.family, yardstick, watch, None)
    show_figures(done.value)
    return done


def conclude(
    settings: Settings,
    data: StepResult[CatalogueVersion],
    validation: StepResult[ValidationReport],
    prepared: StepResult[PreparedSet],
    measuring: StepResult[RulerFile] | None,
    fitted: StepResult[FitResult],
    report: StepResult[EvaluationReport],
    version: StepResult[VersionInfo],
    judged: StepResult[Judged],
) -> TrainOutcome:
    """The result of a training flow: where its results are, and the line of each step."""
    done: list[StepResult[Any] | None] = [data, validation, prepared, measuring, fitted, report, version, judged]
    return TrainOutcome(
        slot=version.value.slot,
        version=version.value.version,
        promoted=judged.value.verdict.passed,
        verdict=judged.value.verdict.text,
        run_id=fitted.value.run_id,
        flow_run=flow_run_id(),
        data_md5=data.value.md5,
        data_docs=validation.value.data_docs,
        onnx=fitted.value.onnx,
        report=evaluation_folder(settings.home, report.value.key) / REPORT,
        lines=[one.line for one in done if one is not None],
    )
