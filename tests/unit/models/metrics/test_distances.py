import numpy as np
import pytest
import torch

from models.metrics.criteria import choose_criterion
from models.metrics.distances import (
    classify_scores,
    frechet_distance,
    frechet_inception_distance,
    kernel_distance,
    kernel_distance_of_all,
    nearest_neighbours,
    subset_size,
)


def gaussian(count, mean, scale, seed, width=8):
    """Features whose sample mean and covariance are exactly `mean` and `scale`^2 times the identity."""
    values = torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    values = values - values.mean(0)
    root = torch.linalg.cholesky(torch.cov(values.T))
    return torch.linalg.solve_triangular(root, values.T, upper=False).T * scale + mean


def test_frechet_distance_of_known_gaussians():
    first, second = gaussian(500, 0.0, 1.0, seed=0), gaussian(400, 2.0, 3.0, seed=1)
    # |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2) = 8 * 2^2 + 8 * (1 - 3)^2
    assert frechet_distance(first, second) == pytest.approx(64, rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(64, rel=1e-9)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("count", [600, 40])  # fewer images than features: the covariance is singular
def test_frechet_distance_is_torchmetrics(count):
    random = torch.Generator().manual_seed(0)
    mix = torch.randn(64, 64, generator=random)
    first = (torch.randn(count, 64, generator=random) @ mix).relu()
    second = (torch.randn(count, 64, generator=random) @ mix + 1).relu()
    assert frechet_distance(first, second) == pytest.approx(frechet_inception_distance(first, second), rel=1e-3)


def test_kernel_distance_is_near_zero_for_one_distribution_and_not_for_two():
    random = torch.Generator().manual_seed(0)
    first, same = torch.randn(2, 1500, 16, generator=random)
    near, spread = kernel_distance(first, same, seed=0)
    far, _ = kernel_distance(first, same + 0.5, seed=0)
    assert abs(near) < 3 * spread + 1e-3
    assert far > 20 * abs(near)


def test_kernel_distance_follows_its_seed_and_leaves_the_global_one_alone():
    first, second = torch.randn(2, 1200, 4, generator=torch.Generator().manual_seed(0))
    state = torch.get_rng_state()
    found = [kernel_distance(first, second, seed=seed) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    assert torch.equal(state, torch.get_rng_state())


def test_the_kernel_distance_of_all_pairs_is_the_mean_over_subsets():
    random = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 1500, 8, generator=random)
    mean, spread = kernel_distance(first, second + 0.5, seed=0)
    assert kernel_distance_of_all(first, second + 0.5) == pytest.approx(mean, abs=spread)
    assert kernel_distance_of_all(first, second) < 0.05 * mean


@pytest.mark.parametrize(
    ("counts", "size"), [((10_000, 10_000), 1000), ((10_000, 1000), 500), ((7, 100), 3), ((2, 2), 2)]
)
def test_the_subsets_of_a_kernel_distance_shrink_with_the_images(counts, size):
    assert subset_size(*counts) == size
    first, second = (torch.randn(count, 2, generator=torch.Generator().manual_seed(0)) for count in counts)
    mean, spread = kernel_distance(first[:40], second[:40], seed=0)
    assert np.isfinite([mean, spread]).all()


def test_few_images_are_ranked_by_the_kernel_distance():
    assert choose_criterion(10_000, 2048) == "frechet_distance"
    assert choose_criterion(10_000, 2047) == "kernel_distance"


def test_kernel_distance_takes_fewer_images_than_its_subsets_hold():
    first, second = torch.randn(2, 60, 4, generator=torch.Generator().manual_seed(0))
    assert np.isfinite(kernel_distance(first, second, seed=0)).all()


def test_scores_worked_out_by_hand():
    wanted = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
    predicted = torch.tensor([0, 0, 0, 1, 1, 0, 2, 2])
    scores = classify_scores(predicted, wanted, 3)
    # recall: 3/4, 1/2, 2/2; precision: 3/4, 1/2, 2/2; f1 is the same
    expected = torch.tensor([0.75, 0.5, 1.0])
    torch.testing.assert_close(scores["accuracy"], torch.tensor(0.75))
    for name in ("recall", "f1"):
        torch.testing.assert_close(scores[f"{name}_by_category"], expected)
        torch.testing.assert_close(scores[name], expected.mean())


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    scores = classify_scores(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 1, 1]), 2)
    # category 0: precision 1/3, recall 1; category 1: precision 1, recall 1/3
    torch.testing.assert_close(scores["f1_by_category"], torch.tensor([0.5, 0.5]))
    torch.testing.assert_close(scores["recall_by_category"], torch.tensor([1.0, 1 / 3]))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_planted_copy_is_found(channels):
    random = np.random.default_rng(0)
    training = random.integers(0, 256, (600, 32, 32, channels), dtype=np.uint8)
    images = random.integers(0, 256, (30, 32, 32, channels), dtype=np.uint8)
    images[11] = training[437]
    images[20] = np.clip(training[5].astype(int) + 2, 0, 255)
    found = nearest_neighbours(images, training)
    assert (found.rows[11], found.differences[11]) == (437, 0)
    assert found.rows[20] == 5
    assert 1.9 < found.differences[20] <= 2
    assert (np.delete(found.differences, [11, 20]) > 20).all()


def test_neighbours_are_sought_in_a_memory_map(tmp_path):
    random = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", random.integers(0, 256, (5, 32, 32, 1), dtype=np.uint8))
    training = np.load(tmp_path / "images.npy", mmap_mode="r")
    found = nearest_neighbours(training[2:4], training)
    assert (found.rows.tolist(), found.differences.tolist()) == ([2, 3], [0, 0])
