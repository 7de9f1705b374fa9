"""From a judged model to the registry: a version with its card, the gate's verdict, and the move that it allows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from models.metrics import frechet_distance
from tasks.bootstrap import Features, Interval, paired_bootstrap
from tasks.card import write_card
from tasks.evaluate import evaluation_folder, reference_path
from tasks.gate import GateBounds, Scores, Servability, Verdict, judge
from tasks.ledger import Ledger
from tasks.promotion import Move, promote, set_challenger
from tasks.register import CHAMPION, VersionInfo, load_version, register
from tasks.tracking import open_tracking
from tasks.trail import record_version

if TYPE_CHECKING:
    from tasks.fit import FitResult
    from tasks.prepared import PreparedSet
    from tasks.report import EvaluationReport, Figure
    from tasks.settings import Settings
    from tasks.validate import ValidationReport

RESAMPLES = 100


class Judged(NamedTuple):
    """What the gate said of a version, and the move that followed."""

    verdict: Verdict
    move: Move


def slot_of(catalogue: str) -> str:
    """The slot that the generators of a catalogue compete for."""
    return f"generate-{catalogue}"


def register_version(
    settings: Settings,
    fitted: FitResult,
    report: EvaluationReport,
    prepared: PreparedSet,
    validation: ValidationReport,
    tags: dict[str, str],
) -> VersionInfo:
    """Log the figures and pictures on the run, and make the exported model the next version of its slot, once."""
    slot = slot_of(prepared.catalogue)
    tracking = open_tracking(settings)
    tracking.log_metrics(fitted.run_id, fitted.steps, {metric_name(figure): figure.value for figure in report.figures})
    folder = evaluation_folder(settings, report.key)
    for name in ("report.json", "samples.png", "nearest.png"):
        tracking.log_figure_file(fitted.run_id, folder / name, "evaluation")
    version_tags = tags | {
        "data_md5": prepared.data_md5,
        "prepared_key": prepared.key,
        "validation_key": validation.key,
        "validation_success": str(validation.success).lower(),
        "recipe": fitted.key,
        "reference_digest": str(report.protocol["reference_digest"]),
        "extractor_digest": str(report.protocol["extractor_digest"]),
    }
    card = write_card(fitted, report, prepared, validation)
    number = register(settings, fitted.run_id, slot, fitted.family, fitted.onnx, model_card=card, tags=version_tags)
    record_version(settings, slot, number, fitted.run_id, fitted.onnx_sha256, report)
    return load_version(settings, slot, number)


def gate(
    settings: Settings,
    version: VersionInfo,
    report: EvaluationReport,
    champion: VersionInfo | None,
    champion_report: EvaluationReport | None,
    bounds: GateBounds,
    servability: Servability,
    who: str,
) -> Judged:
    """Hold the version against the champion on the same images; the alias moves only if both blessings are given."""
    if champion is not None and champion.version == version.version:
        same = Verdict(good_enough=True, servable=True, reasons=[], held=["it is the champion already"])
        return Judged(same, promote(settings, version.slot, version.version, who=who, why=same.text))
    rival, interval = None, None
    if champion_report is not None:
        rival, interval = scores_of(champion_report), compare(settings, report, champion_report)
    verdict = judge(scores_of(report), rival, bounds, servability, interval)
    move = promote if verdict.passed else set_challenger
    return Judged(
        verdict, move(settings, version.slot, version.version, who=who, why=verdict.text, figures=verdict.figures)
    )


def find_champion(settings: Settings, slot: str) -> VersionInfo | None:
    """The slot's champion, or None when it never had one.

    Raises:
        RegistryError: the ledger names a champion that the registry has lost.
    """
    if Ledger(settings.home).champion(slot) is None:
        return None
    return load_version(settings, slot, CHAMPION)


def compare(settings: Settings, report: EvaluationReport, champion: EvaluationReport) -> Interval:
    """How sure the difference in Fréchet distance is, when noise, samples and reference are drawn alike for both."""
    ours, theirs = (np.load(evaluation_folder(settings, one.key) / "features.npy") for one in (report, champion))
    real = np.load(reference_path(settings, report))["features"]
    return paired_bootstrap(
        ours, theirs, real, distance_of_arrays, resamples=RESAMPLES, seed=int(report.protocol["seed"])
    )


def distance_of_arrays(generated: Features, real: Features) -> float:
    """Fréchet distance of features (N, D) to (M, D), given as arrays."""
    return frechet_distance(torch.from_numpy(real), torch.from_numpy(generated))


def scores_of(report: EvaluationReport) -> Scores:
    """The figures that the gate looks at."""
    return Scores(
        distance=report.value("frechet_distance"),
        reference_digest=str(report.protocol["reference_digest"]),
        extractor_digest=str(report.protocol["extractor_digest"]),
        shares=report.by_category("share"),
        memorised_share=report.value("near_copies"),
        recalls=report.by_category("recall") if report.conditional else None,
        untrained_distance=report.value("frechet_distance_untrained")
        if report.has("frechet_distance_untrained")
        else None,
    )


def metric_name(figure: Figure) -> str:
    """A figure's name as MLflow allows it: letters, digits, `_-. /`."""
    if figure.category is None:
        return figure.name
    return f"{figure.name}_of/{re.sub('[^A-Za-z0-9]+', '_', figure.category)}"
