"""How well generated images cover the manifold of real ones, and how many lie on it: collapse shows here."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

NEAREST = 5
"""k of the k-th nearest neighbour whose distance is the radius of a ball; 5 in Naeem et al. 2020, section 4."""
CHUNK = 1000
"""Rows whose distances to all others are held at once: 40 MB for 10,000 columns."""


class ManifoldScores(NamedTuple):
    """Each is best near what real images score; all are in 0..1 but density, which may pass 1.

    `precision`: share of generated images inside a ball of a real one. `recall`: share of real images inside a ball of
    a generated one. `density`: precision that counts how many balls, so that one outlier's wide ball weighs little.
    `coverage`: share of real images whose own ball holds a generated one.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold_scores(real: Tensor, generated: Tensor, nearest: int = NEAREST) -> ManifoldScores:
    """Precision and recall (Kynkäänniemi et al. 2019, eq. 1-2), density and coverage (Naeem et al. 2020, eq. 3-4).

    A ball is drawn around each image of features (N, D) or (M, D), through its `nearest`-th neighbour of its own kind.
    Where there are no more images than `nearest`, the last neighbour there is takes its place.

    Args:
        real: (N, D); use as many as `generated`, for the balls shrink as images are added.
        generated: (M, D).
        nearest: k of both papers.

    Raises:
        ValueError: there are fewer than two images of a kind.
    """
    if min(len(real), len(generated)) < 2:
        raise ValueError(f"images: got {len(real)} real and {len(generated)} generated, allowed: at least 2 of each")
    middle = real.float().mean(0)  # smaller numbers leave less rounding in |x|^2 - 2xy + |y|^2
    real, generated = real.float() - middle, generated.float() - middle
    real_balls, generated_balls = ball_radii(real, nearest), ball_radii(generated, nearest)
    covered, recalled, hits = 0, torch.zeros(len(real), dtype=torch.bool), torch.zeros(len(generated))
    for start in range(0, len(real), CHUNK):
        rows = slice(start, start + CHUNK)
        apart = squared_distances(real[rows], generated)
        inside = apart <= real_balls[rows, None]
        hits += inside.sum(0)
        covered += int(inside.any(1).sum())
        recalled[rows] = (apart <= generated_balls[None, :]).any(1)
    return ManifoldScores(
        precision=float((hits > 0).float().mean()),
        recall=float(recalled.float().mean()),
        density=float(hits.mean() / min(nearest, len(real) - 1)),
        coverage=covered / len(real),
    )


def ball_radii(features: Tensor, nearest: int) -> Tensor:
    """Squared distance of each of features (N, D) to its `nearest`-th nearest other one, shape (N,)."""
    rank = min(nearest, len(features) - 1)
    radii = []
    for start in range(0, len(features), CHUNK):
        apart = squared_distances(features[start : start + CHUNK], features)
        apart[torch.arange(len(apart)), torch.arange(start, start + len(apart))] = torch.inf  # itself
        radii.append(apart.topk(rank, largest=False).values[:, -1])
    return torch.cat(radii)


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Squared Euclidean distances (N, M) of features (N, D) and (M, D)."""
    lengths = first.square().sum(1)[:, None] + second.square().sum(1)[None, :]
    return torch.addmm(lengths, first, second.T, alpha=-2).clamp_(min=0)
