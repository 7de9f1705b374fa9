"""Square patches of photographs, the most detailed first, for learning restoration."""

from __future__ import annotations

import numpy as np

from models.arrays import Pixels
from models.imaging.colour import luma


def cut_patches(pixels: Pixels, size: int, stride: int, most: int | None = None, least_detail: float = 0.0) -> Pixels:
    """At most `most` pieces, or all, (n, size, size, 3) of a photo (H, W, 3), `stride` apart, of the most detail.

    Detail is the mean absolute step between neighbouring pixels of luma, in grey levels; pieces with less than
    `least_detail` teach nothing, and are left out. A photo smaller than `size` gives none.
    """
    height, width = pixels.shape[:2]
    if height < size or width < size:
        return np.empty((0, size, size, 3), np.uint8)
    corners = [
        (top, left) for top in range(0, height - size + 1, stride) for left in range(0, width - size + 1, stride)
    ]
    pieces = np.stack([pixels[top : top + size, left : left + size] for top, left in corners])
    details = np.array([measure_detail(piece) for piece in pieces])
    chosen = np.argsort(-details, kind="stable")[:most]
    return pieces[np.sort(chosen[details[chosen] >= least_detail])]


def measure_detail(pixels: Pixels) -> float:
    """Mean absolute step of luma from pixel to pixel, down and across, in grey levels."""
    grey = luma(pixels)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()) * 127.5
