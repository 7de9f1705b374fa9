"""Where the product is in a picture, its share of the frame, and how white its surroundings are."""

from __future__ import annotations

import cv2
import numpy as np

from models.arrays import Pixels, Planes

Box = tuple[int, int, int, int]
MARGIN = 0.01  # of the longest side: soft edges and compression's ringing around the product are neither
LEAST_MARGIN = 4  # pixels
WHITE = 255


def measure_extent(matte: Planes, box: Box) -> float:
    """The longest extent of the product's `box` (left, top, right, bottom) as a share, 0..1, of that side of the frame.

    `matte` is (H, W) in 0..1. A product that fills its frame from left to right has 1, however flat it is.
    """
    height, width = matte.shape
    left, top, right, bottom = box
    return float(max((right - left) / width, (bottom - top) / height))


def measure_area(matte: Planes) -> float:
    """The share of the frame, 0..1, that the product covers; `matte` is (H, W) in 0..1."""
    return float(matte.mean(dtype=np.float64))


def measure_white(pixels: Pixels, matte: Planes) -> float | None:
    """Share of the background, in 0..1, that is exactly RGB 255, 255, 255; None where no background is in sight.

    `pixels` is uint8 (H, W, 3), `matte` (H, W) in 0..1. What lies nearer to the product than 1 % of
    the longest side, or 4 pixels, is left out.
    """
    reach = max(LEAST_MARGIN, round(MARGIN * max(matte.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))
    background = cv2.dilate((matte > 0).astype(np.uint8), kernel) == 0
    if not background.any():
        return None
    return float((pixels.min(axis=2) == WHITE)[background].mean())
