"""How sharp a picture is, comparable between sizes and subjects."""

from __future__ import annotations

import cv2
import numpy as np

from models.arrays import Pixels
from models.imaging.inspection.statistics import measure_pixels

Box = tuple[int, int, int, int]
SIDE = 1000


def measure_sharpness(pixels: Pixels, box: Box) -> float:
    """Variance of the Laplacian inside `box` (left, top, right, bottom), as a part of the variance of the grey levels.

    `pixels` is uint8 (H, W, 3) in RGB. A picture longer than 1,000 pixels is brought to that side first; a smaller one
    is not enlarged, which would only blur it. The part, in thousandths, says how much of what varies is fine detail; a
    product that is plain, dark or small in its frame is then not taken for a blurred one.
    """
    left, top, right, bottom = box
    inside = np.ascontiguousarray(pixels[top:bottom, left:right])
    grey = np.asarray(cv2.cvtColor(inside, cv2.COLOR_RGB2GRAY), np.uint8)
    scale = min(1.0, SIDE / max(pixels.shape[:2]))
    if scale < 1:
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    (_,), (spread,), (edges,) = measure_pixels([grey])
    return float(1000 * edges / max(spread, 1.0) ** 2)
