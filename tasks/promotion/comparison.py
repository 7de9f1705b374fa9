"""Two versions compared: the figures that the gate uses, and the confidence in their difference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from models.metrics.bootstrap import Comparison, Features, kernel_bootstrap, paired_bootstrap
from models.metrics.criteria import FRECHET, choose_criterion
from models.metrics.distances import frechet_distance, kernel_distance_of_all
from tasks.dataset.arrays import read_array, read_arrays
from tasks.evaluation.measured_sets import reference_path
from tasks.evaluation.report import evaluation_folder
from tasks.promotion.gate import Scores

if TYPE_CHECKING:
    from tasks.evaluation.report import EvaluationReport

RESAMPLES = 100


def compare_generators(home: Path, report: EvaluationReport, champion: EvaluationReport) -> Comparison:
    """The confidence interval of the difference in distance, with noise, samples and reference drawn alike for both.

    Both use as many samples as the smaller of the two sets, and the criterion that is reliable for that many.
    """
    ours, theirs = (read_array(evaluation_folder(home, one.key) / "features.npy") for one in (report, champion))
    (real,) = read_arrays(reference_path(home, report), "features")
    return compare_features(ours, theirs, real, int(report.protocol["seed"]))


def compare_features(ours: Features, theirs: Features, real: Features, seed: int) -> Comparison:
    """The same for features (N, D), (M, D) and the reference's (R, D)."""
    count = min(len(ours), len(theirs))
    ours, theirs = ours[:count], theirs[:count]
    criterion = choose_criterion(count, len(real))
    if criterion == FRECHET:
        interval = paired_bootstrap(ours, theirs, real, distance_of_arrays, resamples=RESAMPLES, seed=seed)
        distance = distance_of_arrays
    else:
        interval = kernel_bootstrap(ours, theirs, real, resamples=RESAMPLES, seed=seed)
        distance = kernel_distance_of_arrays
    return Comparison(criterion, count, distance(ours, real), distance(theirs, real), interval)


def distance_of_arrays(generated: Features, real: Features) -> float:
    """Fréchet distance of features (N, D) to (M, D), given as arrays."""
    return frechet_distance(torch.from_numpy(real), torch.from_numpy(generated))


def kernel_distance_of_arrays(generated: Features, real: Features) -> float:
    """Kernel distance of features (N, D) to (M, D), given as arrays."""
    return kernel_distance_of_all(torch.from_numpy(real), torch.from_numpy(generated))


def scores_of(report: EvaluationReport) -> Scores:
    """The figures that the gate uses."""
    return Scores(
        distance=report.distance.value,
        reference_digest=str(report.protocol["reference_digest"]),
        extractor_digest=str(report.protocol["extractor_digest"]),
        shares=report.by_category("share"),
        memorised_share=report.value("near_copies"),
        recalls=report.by_category("recall") if report.conditional else None,
        untrained_distance=report.find(f"{report.criterion}_untrained"),
        criterion=report.criterion,
        category_distances=report.by_category("category_distance"),
        untrained_category_distances=report.by_category("category_distance_untrained"),
    )
