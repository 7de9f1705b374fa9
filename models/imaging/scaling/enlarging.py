"""Enlarging photographs: luma by a network, colours by bicubic, in tiles."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from models.arrays import Pixels, Planes
from models.imaging.colour import to_unit
from models.imaging.scaling.tiles import change_in_tiles

EnlargeLuma = Callable[[Planes], Planes]
"""Luma (H, W) in [0, 1] to luma (scale H, scale W)."""

TILE = 1024
"""Side of a tile of the result; layers of 64 features at full size then take some 300 MB."""
BICUBIC_REACH = 3
"""Pixels that bicubic looks at on each side."""


def enlarge_by_bicubic(pixels: Pixels, scale: int) -> Pixels:
    """uint8 pixels (H, W, 3), or a plane (H, W), enlarged `scale` times by Pillow's bicubic."""
    height, width = pixels.shape[:2]
    large = Image.fromarray(pixels).resize((width * scale, height * scale), Image.Resampling.BICUBIC)
    return np.asarray(large)


def enlarge(pixels: Pixels, scale: int, luma: EnlargeLuma, reach: int, tile: int = TILE) -> Pixels:
    """uint8 RGB pixels (H, W, 3) enlarged `scale` times; `reach` is how far around a pixel `luma` looks.

    RGB is luma plus a linear function of the two colour differences (ITU-R BT.601). So what `luma` gives beyond the
    luma of a bicubic enlargement is added to all three channels of that: the colour differences stay bicubic's.
    """
    out = np.empty((pixels.shape[0] * scale, pixels.shape[1] * scale, 3), np.uint8)

    def change(part: Pixels) -> Pixels:
        small = cv2.cvtColor(to_unit(part), cv2.COLOR_RGB2GRAY)
        base = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        has = cv2.cvtColor(base.astype(np.float32), cv2.COLOR_RGB2GRAY)
        lacks = np.float32(255) * luma(np.asarray(small, np.float32)) - has
        return np.asarray(cv2.add(base, cv2.merge((lacks, lacks, lacks)), dtype=cv2.CV_8U), np.uint8)

    return change_in_tiles(change, pixels, out, scale, choose_side(pixels, scale, tile), max(reach, BICUBIC_REACH))


def choose_side(pixels: Pixels, scale: int, tile: int) -> int:
    """The side of a tile of `pixels`: all of them where the result has no more pixels than a tile, longer or not."""
    height, width = pixels.shape[:2]
    side = max(tile // scale, 1)
    return max(height, width) if height * width <= side**2 else side
