"""How well outlines, and the doubts about them, agree with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.arrays import Mask, Planes

FAILED = 0.8
"""An intersection over union below it is a failure."""
NEAR = 3
"""Pixels that an outline may be off by."""


@dataclass(frozen=True)
class Agreement:
    """An outline against the truth: intersection over union and boundary F, in 0..1, and whether it was doubted."""

    iou: float
    boundary: float
    doubted: bool


@dataclass(frozen=True)
class Summary:
    """Means and shares, in 0..1, over composites; a share of nothing is None."""

    count: int
    iou: float
    failed: float
    boundary: float
    failures_doubted: float | None
    good_doubted: float | None


def compare_outlines(found: Planes, truth: Planes, doubted: bool) -> Agreement:
    """Of alphas (H, W), cut at one half."""
    one, other = found > 0.5, truth > 0.5
    union = (one | other).sum()
    return Agreement(float((one & other).sum() / union) if union else 1.0, compare_boundaries(one, other), doubted)


def compare_boundaries(found: Mask, truth: Mask) -> float:
    """The F measure of outlines (H, W) within NEAR pixels (Martin et al. 2004, section 3, with distances alone)."""
    one, other = trace(found), trace(truth)
    if not one.any() or not other.any():
        return float(one.any() == other.any())
    precision = (measure_distance(other)[one] <= NEAR).mean()
    recall = (measure_distance(one)[other] <= NEAR).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def trace(mask: Mask) -> Mask:
    """The mask's own pixels that touch what is outside it; the picture's border is no outline."""
    return np.asarray(mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0), bool)


def measure_distance(line: Mask) -> Planes:
    """From each pixel to the nearest of `line`."""
    return np.asarray(cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def summarise(agreements: Sequence[Agreement]) -> Summary:
    """Of one kind of backdrop."""
    failed = np.array([one.iou < FAILED for one in agreements])
    doubted = np.array([one.doubted for one in agreements])
    return Summary(
        len(agreements),
        float(np.mean([one.iou for one in agreements])),
        float(failed.mean()),
        float(np.mean([one.boundary for one in agreements])),
        float(doubted[failed].mean()) if failed.any() else None,
        float(doubted[~failed].mean()) if not failed.all() else None,
    )
