"""Masks grown, shrunk, closed and freed of crumbs; each is bool (H, W)."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes

from models.arrays import Mask, Pixels

PART = 0.03
"""Pieces smaller than this share of the largest are dropped."""


def gather(mask: Mask, gap: int) -> Mask:
    """The mask with gaps up to 2 `gap` in its outline closed, holes filled and crumbs dropped."""
    padded = np.pad(mask, gap)
    closed = cv2.morphologyEx(padded.astype(np.uint8), cv2.MORPH_CLOSE, disc(gap)).astype(bool)
    return drop_crumbs(binary_fill_holes(closed[gap : closed.shape[0] - gap, gap : closed.shape[1] - gap]))


def drop_crumbs(mask: Mask) -> Mask:
    """Only the pieces that are not much smaller than the largest."""
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = facts[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0  # the background
    kept = areas >= max(PART * areas.max(), 4)
    return np.asarray(kept[pieces])


def grow(mask: Mask, radius: float) -> Mask:
    """The mask and all within `radius` pixels of it."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc(radius)) > 0)


def shrink_mask(mask: Mask, radius: float) -> Mask:
    """What of the mask is farther than `radius` from its outside; beyond the picture is inside."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), disc(radius)) > 0)


def open_mask(mask: Mask, radius: float) -> Mask:
    """The mask without parts thinner than `radius`."""
    return grow(shrink_mask(mask, radius), radius)


def disc(radius: float) -> Pixels:
    """A round structuring element."""
    side = 2 * max(0, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
