"""Enlarging photographs: luma by a network, chroma by bicubic, in tiles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.imaging.colour import rgb_to_ycbcr, to_levels, ycbcr_to_rgb
from models.imaging.resampling import resize
from models.imaging.tiles import change_in_tiles

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
EnlargeLuma = Callable[[Floats], Floats]
"""Luma (H, W) in [0, 1] to luma (scale H, scale W)."""

TILE = 1024
"""Side of a tile of the result; layers of 64 features at full size then take some 300 MB."""
CHROMA_REACH = 3
"""Pixels that bicubic looks at on each side."""


def enlarge_by_bicubic(plane: Floats, scale: int) -> Floats:
    """A plane (H, W) enlarged `scale` times by Pillow's bicubic."""
    return resize(plane, plane.shape[0] * scale, plane.shape[1] * scale)


def enlarge(pixels: Bytes, scale: int, luma: EnlargeLuma, reach: int, tile: int = TILE) -> Bytes:
    """uint8 RGB pixels (H, W, 3) enlarged `scale` times; `reach` is how far around a pixel `luma` looks."""
    out = np.empty((pixels.shape[0] * scale, pixels.shape[1] * scale, 3), np.uint8)

    def change(part: Bytes) -> Bytes:
        grey, blue, red = rgb_to_ycbcr(part).transpose(2, 0, 1)
        large = luma(grey), enlarge_by_bicubic(blue, scale), enlarge_by_bicubic(red, scale)
        return to_levels(ycbcr_to_rgb(np.stack(large, axis=-1)))

    return change_in_tiles(change, pixels, out, scale, max(tile // scale, 1), max(reach, CHROMA_REACH))
