"""How far generated images are from real ones, how recognisable they are, and whether they were copied."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.pixels import to_planes

THUMBNAIL = 16
SUBSETS = 50
ROWS = 1000


class Features(nn.Module):
    """Stands in for the network torchmetrics expects: its input already is features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, features: Tensor) -> Tensor:
        return features


class Neighbours(NamedTuple):
    """For each of N images: the row of its nearest training image and the mean absolute difference in grey levels."""

    rows: npt.NDArray[np.int64]
    differences: npt.NDArray[np.float32]


def fit_gaussian(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (D,) and unbiased covariance (D, D) of features (N, D), in float64."""
    values = features.double()
    return values.mean(0), torch.cov(values.T)


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Fréchet distance between Gaussians fitted to features (N, D) and (M, D) (Heusel et al. 2017, eq. 6).

    The trace of the square root of the product is the sum of the square roots of its eigenvalues; they are taken from
    the symmetric form S1^1/2 S2 S1^1/2, which has the same ones.
    """
    (mean1, covariance1), (mean2, covariance2) = fit_gaussian(first), fit_gaussian(second)
    values, vectors = torch.linalg.eigh(covariance1)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    shared = torch.linalg.eigvalsh(root @ covariance2 @ root).clamp(min=0).sqrt().sum()
    distance = (mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * shared
    return float(distance)


def frechet_inception_distance(real: Tensor, generated: Tensor) -> float:
    """The same distance by torchmetrics, which the reports quote."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=Features(real.shape[1]), normalize=True)
    metric.set_dtype(torch.float64)
    metric.update(real, real=True)
    metric.update(generated, real=False)
    return float(metric.compute())


def kernel_distance(real: Tensor, generated: Tensor, seed: int) -> tuple[float, float]:
    """KID: polynomial-kernel MMD^2, mean and standard deviation over 50 subsets (Bińkowski et al. 2018, section 4).

    Unlike the Fréchet distance it has no bias that depends on the number of images, so small sets can be compared.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    size = subset_size(len(real), len(generated))
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")  # they fit in memory
        metric = KernelInceptionDistance(
            feature=Features(real.shape[1]), subsets=SUBSETS, subset_size=size, normalize=True
        )
        torch.manual_seed(seed)
        metric.update(real, real=True)
        metric.update(generated, real=False)
        mean, deviation = metric.compute()
    return float(mean), float(deviation)


def subset_size(*counts: int) -> int:
    """Images in a subset for KID: 1,000, or half of the smallest set, so that subsets differ from each other."""
    return max(2, min(1000, min(counts) // 2))


def kernel_distance_of_all(real: Tensor, generated: Tensor) -> float:
    """KID over all pairs at once, without a spread (Gretton et al. 2012, eq. 3)."""
    ours, theirs = real.double(), generated.double()
    return _mean_others(ours) + _mean_others(theirs) - 2 * _kernel_sum(ours, theirs) / (len(ours) * len(theirs))


def _kernel_sum(first: Tensor, second: Tensor) -> float:
    """Sum of (x.y / D + 1)^3 over all pairs of features (N, D) and (M, D), a few rows at a time."""
    parts = (((part @ second.T / second.shape[1] + 1) ** 3).sum() for part in torch.split(first, ROWS))
    return float(sum(parts))


def _mean_others(features: Tensor) -> float:
    """Mean of the kernel over all pairs of two different images."""
    own = float(((features.square().sum(1) / features.shape[1] + 1) ** 3).sum())
    return (_kernel_sum(features, features) - own) / (len(features) * (len(features) - 1))


def classify_scores(predicted: Tensor, wanted: Tensor, categories: int) -> dict[str, Tensor]:
    """Accuracy, and recall and F1 (macro, and per category as tensors (categories,))."""
    from torchmetrics.functional.classification import multiclass_accuracy, multiclass_f1_score, multiclass_recall

    return {
        "accuracy": multiclass_accuracy(predicted, wanted, categories, average="micro"),
        "recall": multiclass_recall(predicted, wanted, categories, average="macro"),
        "f1": multiclass_f1_score(predicted, wanted, categories, average="macro"),
        "recall_by_category": multiclass_recall(predicted, wanted, categories, average="none"),
        "f1_by_category": multiclass_f1_score(predicted, wanted, categories, average="none"),
    }


def nearest_neighbours(images: npt.NDArray[np.uint8], training: npt.NDArray[np.uint8]) -> Neighbours:
    """The nearest training image of each image, both uint8 (N, H, W, C).

    The nearest is sought by Euclidean distance of 16x16 thumbnails; the difference is then taken over all pixels.
    """
    queries, known = _thumbnails(images), _thumbnails(training)
    lengths = known.square().sum(1)
    rows = torch.cat([(lengths - 2 * part @ known.T).argmin(1) for part in torch.split(queries, 500)]).numpy()
    pairs = zip(np.array_split(images, 20), np.array_split(rows, 20), strict=True)
    differences = [
        np.abs(part.astype(np.int16) - training[match].astype(np.int16)).mean((1, 2, 3)) for part, match in pairs
    ]
    return Neighbours(rows, np.concatenate(differences).astype(np.float32))


def _thumbnails(images: npt.NDArray[np.uint8], batch: int = 5000) -> Tensor:
    parts = []
    for start in range(0, len(images), batch):
        planes = to_planes(images[start : start + batch]).float()
        parts.append(functional.adaptive_avg_pool2d(planes, THUMBNAIL).flatten(1))
    return torch.cat(parts)
