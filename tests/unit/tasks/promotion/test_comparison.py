"""Comparisons: equally many images of both, and the figure that so many can be trusted with."""

import numpy as np
import pytest

from models.metrics.criteria import FRECHET, KERNEL
from tasks.promotion.comparison import compare_features, distance_of_arrays, kernel_distance_of_arrays


def features(count, shift, seed):
    return np.random.default_rng(seed).normal(shift, 1, (count, 4)).astype(np.float32)


def test_many_images_are_compared_by_the_frechet_distance():
    ours, theirs, real = features(2100, 0.2, 1), features(2048, 0.8, 2), features(2048, 0.0, 0)
    found = compare_features(ours, theirs, real, seed=0)
    assert (found.criterion, found.samples) == (FRECHET, 2048)
    assert found.challenger == pytest.approx(distance_of_arrays(ours[:2048], real))
    assert found.interval.difference == pytest.approx(found.challenger - found.champion)
    assert found.interval.high < 0


@pytest.mark.parametrize(("counts", "reference"), [((3000, 300), 3000), ((3000, 3000), 300)])
def test_few_images_of_any_are_compared_by_the_kernel_distance(counts, reference):
    ours, theirs = (features(count, shift, seed) for count, shift, seed in zip(counts, (0.2, 1.2), (1, 2), strict=True))
    real = features(reference, 0.0, 0)
    found = compare_features(ours, theirs, real, seed=0)
    assert (found.criterion, found.samples) == (KERNEL, min(counts))
    assert found.champion == pytest.approx(kernel_distance_of_arrays(theirs[: min(counts)], real), rel=1e-4)
    assert found.interval.difference == pytest.approx(found.challenger - found.champion, rel=1e-4)
    assert found.interval.high < 0
