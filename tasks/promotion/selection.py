"""From a judged model to the registry: a version with its card, the gate's verdict, and the move that it allows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from models.exported.generator import ExportedRestoration
from tasks.evaluation.generators import evaluation_folder
from tasks.evaluation.report import EVALUATION, PICTURES
from tasks.lineage.ledger import Ledger
from tasks.pipeline.trail import record_version
from tasks.promotion.bounds import GateBounds
from tasks.promotion.card import write_card
from tasks.promotion.comparison import compare, scores_of
from tasks.promotion.editor_card import write_editor_card
from tasks.promotion.editor_gate import EditorBounds
from tasks.promotion.editor_gate import compare as compare_editors
from tasks.promotion.editor_gate import judge as judge_editor
from tasks.promotion.gate import Servability, Verdict, judge
from tasks.promotion.moves import Move, promote, set_challenger
from tasks.registry.model_folder import count_parameters
from tasks.registry.register import CHAMPION, VersionInfo, load_version, register
from tasks.registry.slots import is_editor, slot_of_editor
from tasks.registry.tracking import open_tracking, service_errors
from tasks.workspace.storage import locked

if TYPE_CHECKING:
    from tasks.dataset.prepared import PreparedSet
    from tasks.dataset.validate import ValidationReport
    from tasks.evaluation.report import EvaluationReport, Figure
    from tasks.training.fit import FitResult
    from tasks.workspace.settings import Settings


class Judged(NamedTuple):
    """What the gate said of a version, and the move that followed."""

    verdict: Verdict
    move: Move


def slot_of(catalogue: str) -> str:
    """The slot that the generators of a catalogue compete for."""
    return f"generate-{catalogue}"


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
    for name in ("report.json", *PICTURES):
        if name not in report.left_out:
            tracking.log_figure_file(run_id, folder / name, EVALUATION)


def gate(
    settings: Settings,
    version: VersionInfo,
    report: EvaluationReport,
    champion: VersionInfo | None,
    champion_report: EvaluationReport | None,
    bounds: GateBounds | EditorBounds,
    servability: Servability,
    who: str,
) -> Judged:
    """Hold the version against the champion on the same images; the alias moves only if both blessings are given.

    Raises:
        ChampionMoved: another version became the champion meanwhile; judge again, against that one.
    """
    if champion is not None and champion.version == version.version:
        same = Verdict(good_enough=True, servable=True, reasons=[], held=["it is the champion already"])
        again = promote(settings, version.slot, version.version, who=who, why=same.text, over=champion.version)
        return Judged(same, again)
    verdict = hold_against(settings, report, champion_report, bounds, servability)
    tag_servability(settings, version, servability)
    move = promote if verdict.passed else set_challenger
    over, why, figures = None if champion is None else champion.version, verdict.text, verdict.figures
    return Judged(verdict, move(settings, version.slot, version.version, who=who, why=why, figures=figures, over=over))


def hold_against(
    settings: Settings,
    report: EvaluationReport,
    champion: EvaluationReport | None,
    bounds: GateBounds | EditorBounds,
    servability: Servability,
) -> Verdict:
    """The gate's verdict, by the bounds of what the version is for."""
    if isinstance(bounds, EditorBounds):
        difference = compare_editors(settings, report, champion) if champion else None
        return judge_editor(report, champion, bounds, servability, difference)
    rival, comparison = None, None
    if champion is not None:
        rival, comparison = scores_of(champion), compare(settings, report, champion)
    return judge(scores_of(report), rival, bounds, servability, comparison)


def find_champion(settings: Settings, slot: str) -> VersionInfo | None:
    """The slot's champion, or None when it never had one.

    Raises:
        RegistryError: the ledger names a champion that the registry has lost.
    """
    if Ledger(settings.home).champion(slot) is None:
        return None
    return load_version(settings, slot, CHAMPION)


def tag_servability(settings: Settings, version: VersionInfo, servability: Servability) -> None:
    """Write on the version what serving it costs; MLflow refuses a tag that two runs write at once."""
    tracking = open_tracking(settings)
    costs = {"latency_ms": servability.latency_ms, "memory_mb": servability.memory_mb}
    lock = settings.home / "locks" / "servability.lock"
    with locked(lock, seconds=60, doing="writing what a version costs"), service_errors(tracking.uri):
        for name, value in costs.items():
            tracking.client.set_model_version_tag(version.slot, str(version.version), name, f"{value:.4g}")


def metric_name(figure: Figure) -> str:
    """A figure's name as MLflow allows it: letters, digits, `_-. /`."""
    if figure.category is None:
        return figure.name
    return f"{figure.name}_of/{re.sub('[^A-Za-z0-9]+', '_', figure.category)}"
