"""Precision, recall, density and coverage: worked out by hand, against plain loops, and on the collapses they show."""

import numpy as np
import pytest
import torch

from models.metrics.manifold import CHUNK, ball_radii, manifold_scores


def normal(count, width=8, seed=0, scale=1.0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) * scale


def test_scores_worked_out_by_hand():
    # On a line, with k = 1
    real = torch.tensor([[0.0], [1.0], [9.0]])
    generated = torch.tensor([[0.5], [20.0], [21.0]])
    # real radii: 1, 1, 8; generated radii: 19.5, 1, 1
    precision, recall, density, coverage = manifold_scores(real, generated, nearest=1)
    assert precision == pytest.approx(1 / 3)  # 0.5 alone
    assert recall == 1.0  # the wide ball of 0.5 holds all three
    assert density == pytest.approx(2 / 3)  # 0.5 lies in the balls of 0 and 1; that of 9 begins at 1
    assert coverage == pytest.approx(2 / 3)  # 0 and 1, not 9


def test_scores_equal_plain_loops():
    real, generated = normal(40, seed=1), normal(30, seed=2, scale=0.8) + 0.3

    def radius(points, row):
        return sorted(float((points[row] - other).norm()) for index, other in enumerate(points) if index != row)[2]

    real_balls = [radius(real, row) for row in range(40)]
    generated_balls = [radius(generated, row) for row in range(30)]
    apart = np.array([[float((one - other).norm()) for other in generated] for one in real])
    inside = apart <= np.array(real_balls)[:, None]
    expected = (
        inside.any(0).mean(),
        (apart <= np.array(generated_balls)).any(1).mean(),
        inside.sum() / (3 * 30),
        inside.any(1).mean(),
    )
    assert manifold_scores(real, generated, nearest=3) == pytest.approx(expected)


def test_images_of_one_distribution_score_high():
    scores = manifold_scores(normal(500, seed=1), normal(500, seed=2))
    assert min(scores.precision, scores.recall, scores.coverage) > 0.85
    assert scores.density == pytest.approx(1, abs=0.1)


def test_a_collapse_keeps_precision_and_loses_recall_and_coverage():
    real = normal(500)
    scores = manifold_scores(real, real[:1] + normal(500, seed=1, scale=0.01))
    assert scores.precision > 0.95
    assert scores.recall < 0.05
    assert scores.coverage < 0.1


def test_noise_beside_the_images_loses_precision():
    half = torch.cat((normal(250, seed=1), normal(250, seed=2, scale=30.0)))
    scores = manifold_scores(normal(500), half)
    assert 0.4 < scores.precision < 0.6
    assert scores.coverage > 0.7


def test_chunks_do_not_show():
    count = CHUNK + 3
    features = normal(count, width=2)
    apart = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist").square()
    expected = apart.sort(1).values[:, 5]  # the first is itself
    torch.testing.assert_close(ball_radii(features, 5), expected, rtol=1e-3, atol=1e-5)


def test_fewer_images_than_neighbours_and_too_few():
    scores = manifold_scores(normal(3), normal(3, seed=1))
    assert all(np.isfinite(scores))
    with pytest.raises(ValueError, match="got 1 real and 3 generated"):
        manifold_scores(normal(1), normal(3))
