"""The steps before a training: ingest, validate, prepare."""

from __future__ import annotations

from prefect.context import FlowRunContext

from flows.reporting.page import show_validation
from flows.reporting.watch import step_progress
from flows.steps.declaration import step
from tasks.dataset.prepare import PrepareConfig
from tasks.dataset.prepared import PreparedSet
from tasks.dataset.validate import ValidationReport, require_valid
from tasks.pipeline.outcome import StepResult
from tasks.pipeline.steps import ensure_catalogue, ensure_prepared, ensure_validation
from tasks.versions.resolution import CatalogueVersion
from tasks.workspace.settings import Settings


@step("ingest", retries=2, retry_delay_seconds=5)
def ingest(settings: Settings, catalogue: str, data_version: str | None) -> StepResult[CatalogueVersion]:
    """Bring the catalogue's bytes in place and compare them with `data.dvc`."""
    with step_progress("ingest") as watch:
        return ensure_catalogue(settings, catalogue, data_version, watch)


@step("validate")
def validate(
    settings: Settings, data: CatalogueVersion, quarantine: bool, max_quarantined: float
) -> StepResult[ValidationReport]:
    """Validate the catalogue; a failed suite stops the run before anything is trained."""
    done = ensure_validation(settings.home, data, quarantine, max_quarantined)
    if FlowRunContext.get() is not None:
        show_validation(done.value)
    require_valid(done.value)
    return done


@step("prepare")
def prepare(
    settings: Settings, data: CatalogueVersion, report: ValidationReport, config: PrepareConfig
) -> StepResult[PreparedSet]:
    """Split by product and write memory-mapped arrays."""
    with step_progress("prepare") as watch:
        return ensure_prepared(settings.home, data, report, config, watch)
