"""How sure a difference between two models is: a paired bootstrap over samples and reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy
from numpy.typing import NDArray

from models.errors import InputError

Features: TypeAlias = NDArray[numpy.floating[Any]]
Distance: TypeAlias = Callable[[Features, Features], float]


class Interval(NamedTuple):
    """A difference and the ends of its 95 % bootstrap interval."""

    difference: float
    low: float
    high: float


def paired_bootstrap(
    challenger_features: Features,
    champion_features: Features,
    reference: Features,
    distance: Distance,
    *,
    resamples: int,
    seed: int,
) -> Interval:
    """95 % percentile interval of distance(challenger) - distance(champion) (Efron and Tibshirani 1993, chapter 13).

    Args:
        challenger_features: (N, D).
        champion_features: (N, D), row-aligned: both made from the same latents.
        reference: (M, D), features of held-out images.
        distance: of (N, D) against (M, D); smaller is better.
        resamples: number of bootstrap samples; each draws the same rows of both, and of the reference.
        seed: of the resampling.

    Raises:
        InputError: the arrays do not have the shapes above, or `resamples` is below 2.
    """
    if challenger_features.shape != champion_features.shape:
        shapes = f"{challenger_features.shape} and {champion_features.shape}"
        raise InputError("features of challenger and champion", shapes, "two equal shapes (N, D)")
    if reference.shape[1:] != challenger_features.shape[1:]:
        raise InputError("reference features", reference.shape, f"(M, {challenger_features.shape[1]})")
    if resamples < 2:
        raise InputError("resamples", resamples, "2 or more")
    rng = numpy.random.default_rng(seed)
    differences = numpy.empty(resamples)
    for index in range(resamples):
        rows = rng.integers(len(challenger_features), size=len(challenger_features))
        real = reference[rng.integers(len(reference), size=len(reference))]
        differences[index] = distance(challenger_features[rows], real) - distance(champion_features[rows], real)
    low, high = numpy.quantile(differences, [0.025, 0.975])
    observed = distance(challenger_features, reference) - distance(champion_features, reference)
    return Interval(float(observed), float(low), float(high))
