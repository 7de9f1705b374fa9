from __future__ import annotations

import numpy as np
import pytest

from models.errors import InputError
from models.metrics.bootstrap import CHUNK, kernel_bootstrap, paired_bootstrap


def mean_distance(features: np.ndarray, reference: np.ndarray) -> float:
    return float(np.square(features.mean(0) - reference.mean(0)).sum())


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_clear_difference_has_its_sign(rng):
    reference, near, far = (rng.normal(shift, 1, (400, 4)) for shift in (0.0, 0.1, 1.0))
    interval = paired_bootstrap(near, far, reference, mean_distance, resamples=200, seed=1)
    assert interval.low <= interval.difference <= interval.high < 0
    swapped = paired_bootstrap(far, near, reference, mean_distance, resamples=200, seed=1)
    assert swapped == pytest.approx((-interval.difference, -interval.high, -interval.low))


def test_equal_models_differ_by_nothing_because_rows_are_paired(rng):
    features, reference = rng.normal(size=(50, 3)), rng.normal(size=(60, 3))
    assert paired_bootstrap(features, features.copy(), reference, mean_distance, resamples=50, seed=0) == (0, 0, 0)


def test_the_interval_covers_the_truth_as_often_as_it_says(rng):
    def difference_of_means(features: np.ndarray, reference: np.ndarray) -> float:
        return float(features.mean() - reference.mean())

    covered = 0
    for seed in range(200):
        shared, reference = rng.normal(size=(80, 1)), rng.normal(size=(80, 1))
        ours, theirs = (shared + rng.normal(shift, 0.5, (80, 1)) for shift in (0.3, 0.0))
        interval = paired_bootstrap(ours, theirs, reference, difference_of_means, resamples=200, seed=seed)
        covered += interval.low <= 0.3 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_seed_decides(rng):
    arrays = [rng.normal(size=(30, 2)) for _ in range(3)]
    first, again, other = (paired_bootstrap(*arrays, mean_distance, resamples=30, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_wrong_shapes_and_counts_are_refused(rng):
    five, four = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
    with pytest.raises(InputError, match="features of challenger and champion"):
        paired_bootstrap(five, four, five, mean_distance, resamples=10, seed=0)
    with pytest.raises(InputError, match="reference features"):
        paired_bootstrap(five, five, rng.normal(size=(5, 3)), mean_distance, resamples=10, seed=0)
    with pytest.raises(InputError, match="resamples"):
        paired_bootstrap(five, five, five, mean_distance, resamples=1, seed=0)


def kernel_distance_of_all_pairs(features: np.ndarray, reference: np.ndarray) -> float:
    """KID without subsets: the unbiased estimate over all pairs, written out."""

    def kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return (first @ second.T / first.shape[1] + 1) ** 3

    def others(matrix: np.ndarray) -> float:
        return (matrix.sum() - np.trace(matrix)) / (len(matrix) * (len(matrix) - 1))

    cross = kernel(features, reference).mean()
    return float(others(kernel(features, features)) + others(kernel(reference, reference)) - 2 * cross)


def test_the_kernel_bootstraps_difference_is_that_of_two_kernel_distances(rng):
    # more rows than one chunk of the kernel holds
    sizes = ((0.0, 90), (0.2, CHUNK + 20), (1.0, CHUNK + 20))
    reference, near, far = (rng.normal(shift, 1, (size, 4)) for shift, size in sizes)
    interval = kernel_bootstrap(near, far, reference, resamples=200, seed=1)
    expected = kernel_distance_of_all_pairs(near, reference) - kernel_distance_of_all_pairs(far, reference)
    assert interval.difference == pytest.approx(expected)
    assert interval.low <= interval.difference <= interval.high < 0
    swapped = kernel_bootstrap(far, near, reference, resamples=200, seed=1)
    assert swapped == pytest.approx((-interval.difference, -interval.high, -interval.low))


def test_the_kernel_bootstrap_of_equal_models_is_nothing_and_of_like_ones_holds_zero(rng):
    reference, features = rng.normal(size=(80, 3)), rng.normal(size=(50, 3))
    assert kernel_bootstrap(features, features.copy(), reference, resamples=50, seed=0) == (0, 0, 0)
    held = 0
    for seed in range(60):
        ours, theirs = rng.normal(size=(2, 50, 3))
        interval = kernel_bootstrap(ours, theirs, reference, resamples=100, seed=seed)
        held += interval.low <= 0 <= interval.high
    assert held >= 51  # 57 expected of 60 at 95 %


@pytest.mark.parametrize("resamples", [1, 10])
def test_the_kernel_bootstrap_refuses_what_the_other_refuses(rng, resamples):
    five, four = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
    with pytest.raises(InputError):
        kernel_bootstrap(five, four if resamples > 1 else five, five, resamples=resamples, seed=0)
