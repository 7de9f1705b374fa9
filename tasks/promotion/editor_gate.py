"""The gate for editing networks: better than the baseline and than the champion, photo by photo; and servable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import Field

from models.errors import InputError
from models.metrics.bootstrap import Comparison, Features, paired_bootstrap
from models.metrics.criteria import PSNR
from tasks.dataset.arrays import read_arrays
from tasks.evaluation.editors import SCORES
from tasks.evaluation.report import EvaluationReport, evaluation_folder
from tasks.promotion.bounds import ServingBounds
from tasks.promotion.gate import Finding, GateVerdict, Servability, conclude, judge_serving

RESAMPLES = 1000


class EditorBounds(ServingBounds):
    """The bounds that a challenger for an editing slot must meet, in dB; all are inclusive."""

    min_gain: float = Field(default=0.2, description="mean gain over what no training gives, at least this")
    min_category_gain: float = Field(default=0.0, description="the same gain in the worst category, at least this")
    min_difference: float = Field(
        default=0.0, description="lower end of the 95 % interval of challenger minus champion, at least this"
    )
    max_category_loss: float = Field(default=0.25, ge=0, description="each category: at most so far below the champion")


def compare_editors(home: Path, report: EvaluationReport, champion: EvaluationReport) -> Comparison:
    """The confidence interval of the difference in PSNR, resampling the held-out images alike for both.

    Raises:
        InputError: the two were not evaluated on the same images.
    """
    for name in ("reference_digest", "extractor_digest"):
        digest, other = report.protocol[name], champion.protocol[name]
        if digest != other:
            raise InputError(f"champion's {name}", other, f"the challenger's, {digest}; evaluate both on equal images")
    ours, theirs = (load_scores(home, one) for one in (report, champion))
    interval = paired_bootstrap(ours, theirs, ours, mean_of, resamples=RESAMPLES, seed=int(report.protocol["seed"]))
    return Comparison(PSNR, len(ours), report.value(PSNR), champion.value(PSNR), interval)


def load_scores(home: Path, report: EvaluationReport) -> Features:
    """PSNR of each held-out image, (N, 1)."""
    (scores,) = read_arrays(evaluation_folder(home, report.key) / SCORES, PSNR)
    return scores.reshape(-1, 1)


def mean_of(scores: Features, _: Features) -> float:
    """The figure that is bootstrapped."""
    return float(scores.mean())


def judge_editor(
    report: EvaluationReport,
    champion: EvaluationReport | None,
    bounds: EditorBounds,
    servability: Servability | None,
    comparison: Comparison | None,
) -> GateVerdict:
    """Judge a challenger; without a champion, the gain over the baseline decides."""
    good = [judge_gain(report, bounds), judge_worst_gain(report, bounds)]
    if champion is not None and comparison is not None:
        good += [judge_difference(report, comparison, bounds), judge_categories(report, champion, bounds)]
    figures = {PSNR: report.value(PSNR), "baseline_psnr": report.value("baseline_psnr")}
    if comparison is not None:
        figures |= {"champion_psnr": comparison.champion, **comparison.interval._asdict()}
    return conclude(good, judge_serving(servability, bounds), figures, servability)


def judge_gain(report: EvaluationReport, bounds: EditorBounds) -> Finding:
    """The gain over the baseline, over all images."""
    mean, baseline = report.value(PSNR), report.value("baseline_psnr")
    text = (
        f"{report.protocol['measured']} {mean:.2f} dB over {report.samples:,} held-out images, "
        f"{report.protocol['baseline']} {baseline:.2f} dB: gain {mean - baseline:+.2f} dB, "
        f"must be at least {bounds.min_gain:+.2f}"
    )
    return Finding(mean - baseline >= bounds.min_gain, text)


def judge_worst_gain(report: EvaluationReport, bounds: EditorBounds) -> Finding:
    """The gain in the category where it is smallest."""
    name, gain = find_least(report.by_category(PSNR), report.by_category("baseline_psnr"))
    text = f"worst category {name}: gain {gain:+.2f} dB, must be at least {bounds.min_category_gain:+.2f}"
    return Finding(gain >= bounds.min_category_gain, text)


def judge_difference(report: EvaluationReport, comparison: Comparison, bounds: EditorBounds) -> Finding:
    """The paired interval over images."""
    interval = comparison.interval
    text = (
        f"{report.protocol['measured']} {comparison.challenger:.2f} dB against champion {comparison.champion:.2f} dB: "
        f"95 % interval of the difference [{interval.low:+.3f}, {interval.high:+.3f}], "
        f"must be at least {bounds.min_difference:+.2f}"
    )
    return Finding(interval.low >= bounds.min_difference, text)


def judge_categories(report: EvaluationReport, champion: EvaluationReport, bounds: EditorBounds) -> Finding:
    """The category that loses most against the champion."""
    name, change = find_least(report.by_category(PSNR), champion.by_category(PSNR))
    text = (
        f"category that loses most, {name}: {change:+.2f} dB against the champion, "
        f"must be at least {-bounds.max_category_loss:+.2f}"
    )
    return Finding(change >= -bounds.max_category_loss, text)


def find_least(ours: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[str, float]:
    """The category with the smallest difference; not-a-number counts as the smallest."""
    differences = {name: value - theirs[name] for name, value in ours.items()}
    return min(differences.items(), key=lambda item: -np.inf if np.isnan(item[1]) else item[1])
