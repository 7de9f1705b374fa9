"""A training's result as a new version of its slot, with its figures and its lineage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.evaluation.report import EVALUATION, PICTURES, REPORT, evaluation_folder
from tasks.lineage.index import Derivation, Lineage, Parent
from tasks.lineage.trace import Node
from tasks.promotion.kinds import slot_kind
from tasks.registry.loading import VersionInfo, load_version
from tasks.registry.model_folder import count_parameters
from tasks.registry.register import register
from tasks.registry.tracking import open_tracking, service_errors

if TYPE_CHECKING:
    from tasks.evaluation.report import EvaluationReport, Figure
    from tasks.pipeline.candidate import Candidate
    from tasks.workspace.settings import TrackingPlace


def record_version(
    home: Path, slot: str, version: int, run_id: str, onnx_sha256: str, report: EvaluationReport
) -> None:
    """Record a registered version, its run and its evaluation."""
    judged = Node("report", report.key, {report.criterion: round(report.distance.value, 2)})
    node = Node("version", f"{slot}@{version}", {"family": report.family, "onnx_sha256": onnx_sha256})
    run = Node("run", run_id)
    made = [
        Derivation(
            judged, [Parent(run, "evaluation of"), Parent(Node("prepared", report.prepared_key), "measured on")]
        ),
        Derivation(node, [Parent(run, "registered from"), Parent(judged, "judged by")]),
    ]
    Lineage(home).record_all(made)


def register_version(settings: TrackingPlace, candidate: Candidate) -> VersionInfo:
    """Log figures and pictures to the run, and register the exported model as its slot's next version, once."""
    fitted, report, prepared = candidate.fitted, candidate.report, candidate.prepared
    kind = slot_kind(fitted.family)
    slot = kind.name_slot(fitted, prepared)
    log_report(settings, fitted.run_id, fitted.steps, report)
    tracking = open_tracking(settings)
    with service_errors(tracking.uri):
        params = tracking.client.get_run(fitted.run_id).data.params
    number = register(
        settings,
        fitted.run_id,
        slot,
        fitted.family,
        fitted.onnx,
        model_card=kind.write_card(slot, candidate, params),
        tags=tag_version(candidate),
        weights=fitted.weights,
    )
    record_version(settings.home, slot, number, fitted.run_id, fitted.onnx_sha256, report)
    return load_version(settings, slot, number)


def tag_version(candidate: Candidate) -> dict[str, str]:
    """Where a version comes from and what it was measured by, for those who look for it in the registry."""
    fitted, report, prepared, validation = candidate.fitted, candidate.report, candidate.prepared, candidate.validation
    return {
        **candidate.tags,
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


def log_report(settings: TrackingPlace, run_id: str, step: int, report: EvaluationReport) -> None:
    """Log the report's figures (at update `step`) and pictures to the version's run."""
    tracking, folder = open_tracking(settings), evaluation_folder(settings.home, report.key)
    tracking.log_metrics(run_id, step, {metric_name(figure): figure.value for figure in report.figures})
    for name in (REPORT, *PICTURES):
        if name not in report.left_out:
            tracking.log_figure_file(run_id, folder / name, EVALUATION)


def metric_name(figure: Figure) -> str:
    """A figure's name in the characters MLflow allows: letters, digits, `_-. /`."""
    if figure.category is None:
        return figure.name
    return f"{figure.name}_of/{re.sub('[^A-Za-z0-9]+', '_', figure.category)}"
