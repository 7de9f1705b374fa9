"""What an outline is trained by."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

EDGE = 4.0
"""How much more a pixel near the outline counts."""


def soft_iou(share: Tensor, truth: Tensor) -> Tensor:
    """Intersection over union (N,) of masks (N, 1, H, W) in [0, 1]."""
    both = (share * truth).sum((1, 2, 3))
    return (both + 1) / ((share + truth).sum((1, 2, 3)) - both + 1)


def weigh_edges(truth: Tensor) -> Tensor:
    """1 far from the outline of `truth` (N, 1, H, W), up to 1 + EDGE on it."""
    near = functional.avg_pool2d(truth, 9, 1, 4, count_include_pad=False)
    return 1 + EDGE * 4 * near * (1 - near)


def outline_loss(logits: Tensor, trust: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """The loss, and the mean intersection over union.

    Cross-entropy weighted towards the edge, the soft intersection over union, and how far the trust is from what the
    outline reached.
    """
    weights = weigh_edges(truth)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, weight=weights) / weights.mean()
    reached = soft_iou(logits.sigmoid(), truth)
    judged = functional.binary_cross_entropy_with_logits(trust, reached.detach())
    return entropy + (1 - reached.mean()) + 0.3 * judged, reached.mean().detach()
