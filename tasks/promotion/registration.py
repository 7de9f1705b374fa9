"""A training's result as a new version of its slot, with its figures and its lineage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from models.exported.editor import ExportedRestoration
from tasks.evaluation.report import EVALUATION, PICTURES, REPORT, evaluation_folder
from tasks.lineage.index import Derivation, Lineage, Parent
from tasks.lineage.trace import Node
from tasks.promotion.card import write_card
from tasks.promotion.editor_card import write_editor_card
from tasks.registry.model_folder import count_parameters
from tasks.registry.register import VersionInfo, load_version, register
from tasks.registry.slots import is_editor, slot_of, slot_of_editor
from tasks.registry.tracking import open_tracking, service_errors
from tasks.workspace.settings import Settings

if TYPE_CHECKING:
    from tasks.dataset.prepared import PreparedSet
    from tasks.dataset.validate import ValidationReport
    from tasks.evaluation.report import EvaluationReport, Figure
    from tasks.training.result import FitResult
    from tasks.workspace.settings import Settings


def record_version(
    settings: Settings, slot: str, version: int, run_id: str, onnx_sha256: str, report: EvaluationReport
) -> None:
    """A registered version, its run and its evaluation."""
    judged = Node("report", report.key, {report.criterion: round(report.distance.value, 2)})
    node = Node("version", f"{slot}@{version}", {"family": report.family, "onnx_sha256": onnx_sha256})
    run = Node("run", run_id)
    made = [
        Derivation(
            judged, [Parent(run, "evaluation of"), Parent(Node("prepared", report.prepared_key), "measured on")]
        ),
        Derivation(node, [Parent(run, "registered from"), Parent(judged, "judged by")]),
    ]
    Lineage(settings).record_all(made)


def slot_of_fitted(fitted: FitResult, prepared: PreparedSet) -> str:
    """The slot that a finished training competes for: generators of a catalogue, or editing networks of one kind."""
    if not is_editor(fitted.family):
        return slot_of(prepared.catalogue)
    exported = ExportedRestoration(fitted.onnx)
    return slot_of_editor(exported.capability, exported.facts)


def register_version(
    settings: Settings,
    fitted: FitResult,
    report: EvaluationReport,
    prepared: PreparedSet,
    validation: ValidationReport,
    tags: dict[str, str],
) -> VersionInfo:
    """Log the figures and pictures on the run, and make the exported model the next version of its slot, once."""
    slot = slot_of_fitted(fitted, prepared)
    log_report(settings, fitted.run_id, fitted.steps, report)
    version_tags = tags | {
        "catalogue": prepared.catalogue,
        "data_md5": prepared.data_md5,
        "prepared_key": prepared.key,
        "validation_key": validation.key,
        "validation_success": str(validation.success).lower(),
        "recipe": fitted.key,
        "reference_digest": str(report.protocol["reference_digest"]),
        "extractor_digest": str(report.protocol["extractor_digest"]),
        "parameters": str(count_parameters(fitted.onnx)),
        "megabytes": f"{fitted.onnx.stat().st_size / 1e6:.2f}",
        "training_seconds": f"{fitted.seconds:.0f}",
    }
    tracking = open_tracking(settings)
    with service_errors(tracking.uri):
        params = tracking.client.get_run(fitted.run_id).data.params
    if is_editor(fitted.family):
        card = write_editor_card(slot, fitted, report, prepared, validation, params)
    else:
        card = write_card(fitted, report, prepared, validation, params)
    number = register(
        settings,
        fitted.run_id,
        slot,
        fitted.family,
        fitted.onnx,
        model_card=card,
        tags=version_tags,
        weights=fitted.weights,
    )
    record_version(settings, slot, number, fitted.run_id, fitted.onnx_sha256, report)
    return load_version(settings, slot, number)


def log_report(settings: Settings, run_id: str, step: int, report: EvaluationReport) -> None:
    """Log the report's figures, at update `step`, and its pictures on the run that the version came from."""
    tracking, folder = open_tracking(settings), evaluation_folder(settings, report.key)
    tracking.log_metrics(run_id, step, {metric_name(figure): figure.value for figure in report.figures})
    for name in (REPORT, *PICTURES):
        if name not in report.left_out:
            tracking.log_figure_file(run_id, folder / name, EVALUATION)


def metric_name(figure: Figure) -> str:
    """A figure's name as MLflow allows it: letters, digits, `_-. /`."""
    if figure.category is None:
        return figure.name
    return f"{figure.name}_of/{re.sub('[^A-Za-z0-9]+', '_', figure.category)}"
