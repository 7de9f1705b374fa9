"""Confidence in the difference between two models: a paired bootstrap over samples and reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy
from numpy.typing import NDArray

from models.errors import InputError

CHUNK = 1000

Features: TypeAlias = NDArray[numpy.floating[Any]]
Distance: TypeAlias = Callable[[Features, Features], float]


class Interval(NamedTuple):
    """A difference and the ends of its 95 % bootstrap interval."""

    difference: float
    low: float
    high: float


class Comparison(NamedTuple):
    """Two versions by the same figure over equally many images of the same noise."""

    criterion: str
    samples: int
    challenger: float
    champion: float
    interval: Interval


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
    _require_shapes(challenger_features, champion_features, reference, resamples)
    rng = numpy.random.default_rng(seed)
    differences = numpy.empty(resamples)
    for index in range(resamples):
        rows = rng.integers(len(challenger_features), size=len(challenger_features))
        real = reference[rng.integers(len(reference), size=len(reference))]
        differences[index] = distance(challenger_features[rows], real) - distance(champion_features[rows], real)
    observed = distance(challenger_features, reference) - distance(champion_features, reference)
    return _interval(observed, differences)


def kernel_bootstrap(
    challenger_features: Features, champion_features: Features, reference: Features, *, resamples: int, seed: int
) -> Interval:
    """The same interval for the kernel distance (KID, all pairs at once): arguments as of `paired_bootstrap`.

    Rows drawn twice would be compared with themselves, which no sample of new images does: such pairs are left out, so
    that the resampled distance has no bias. What the reference has to do with itself is the same for both, and falls
    out of the difference.
    """
    _require_shapes(challenger_features, champion_features, reference, resamples)
    rng = numpy.random.default_rng(seed)
    rows, real = (_weights(rng, resamples, len(features)) for features in (challenger_features, reference))
    ours, theirs = (
        _kernel_terms(features.astype(numpy.float64), reference.astype(numpy.float64), rows, real)
        for features in (challenger_features, champion_features)
    )
    return _interval(ours[0] - theirs[0], ours[1:] - theirs[1:])


def _weights(rng: numpy.random.Generator, resamples: int, count: int) -> Features:
    """How much each row weighs, (1 + resamples, count): evenly first, then as often as it was drawn."""
    drawn = rng.multinomial(count, numpy.full(count, 1 / count), size=resamples).astype(numpy.float64)
    return numpy.vstack((numpy.ones(count), drawn)) / count


def _kernel_terms(features: Features, reference: Features, rows: Features, real: Features) -> Features:
    """E k(x, x') - 2 E k(x, y) for each row of weights: KID less E k(y, y') (Gretton et al. 2012, eq. 3)."""
    others = (_weighted_kernel(features, features, rows) * rows).sum(1)
    itself = numpy.square(rows) @ (numpy.square(features).sum(1) / features.shape[1] + 1) ** 3
    cross = (_weighted_kernel(features, reference, rows) * real).sum(1)
    terms: Features = (others - itself) / (1 - numpy.square(rows).sum(1)) - 2 * cross
    return terms


def _weighted_kernel(first: Features, second: Features, weights: Features) -> Features:
    """weights (B, N) times KID's kernel (x.y / D + 1)^3 of (N, D) and (M, D): (B, M), a few rows at a time."""
    total = numpy.zeros((len(weights), len(second)))
    for start in range(0, len(first), CHUNK):
        rows = slice(start, start + CHUNK)
        total += weights[:, rows] @ (first[rows] @ second.T / first.shape[1] + 1) ** 3
    return total


def _interval(observed: float, differences: Features) -> Interval:
    low, high = numpy.quantile(differences, [0.025, 0.975])
    return Interval(float(observed), float(low), float(high))


def _require_shapes(challenger: Features, champion: Features, reference: Features, resamples: int) -> None:
    if challenger.shape != champion.shape:
        shapes = f"{challenger.shape} and {champion.shape}"
        raise InputError("features of challenger and champion", shapes, "two equal shapes (N, D)")
    if reference.shape[1:] != challenger.shape[1:]:
        raise InputError("reference features", reference.shape, f"(M, {challenger.shape[1]})")
    if resamples < 2:
        raise InputError("resamples", resamples, "2 or more")
