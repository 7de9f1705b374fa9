"""Where to cut or pad a photograph so that the product takes a given share of a frame."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from PIL import Image

from models.arrays import Pixels

Box = tuple[int, int, int, int]
Measure = Literal["side", "area"]


def place_frame(
    box: Box, height: int, width: int, share: float | None, aspect: float | None = None, measure: Measure = "side"
) -> Box:
    """The frame, left, top, right, bottom in the picture's pixels: it may reach beyond the picture, never into `box`.

    `box` is the product's. The frame has the picture's proportions, or is `aspect` times as wide as high. With `share`
    the product is in its middle, and fills that share of the frame's area, or of the side that it fills most. Without,
    nothing is cut: the frame is the picture, padded to the aspect.
    """
    left, top, right, bottom = box
    if share is None:
        aspect = aspect or width / height
        wide, high = max(width, _whole(height * aspect)), max(height, _whole(width / aspect))
        return centre(width / 2, height / 2, wide, high)
    proportion = aspect or width / height
    product_wide, product_high = right - left, bottom - top
    fullest = max(product_high, product_wide / proportion)  # the least height that holds the product
    if measure == "area":
        frame_high = max(math.sqrt(product_wide * product_high / (share * proportion)), fullest)
    else:
        frame_high = fullest / share
    wide, high = max(round(frame_high * proportion), product_wide), max(round(frame_high), product_high)
    if aspect == 1:
        wide = high = max(wide, high)
    return centre((left + right) / 2, (top + bottom) / 2, wide, high)


def _whole(side: float) -> int:
    """The pixels that hold `side`, but for what its calculation missed."""
    return math.ceil(side - 1e-6)


def centre(x: float, y: float, width: int, height: int) -> Box:
    """The box of that size whose middle is at most half a pixel from (x, y)."""
    left, top = math.floor(x - width / 2 + 0.5), math.floor(y - height / 2 + 0.5)
    return left, top, left + width, top + height


def cut_frame(pixels: Pixels, frame: Box, filling: int | tuple[int, int, int]) -> Pixels:
    """The part of `pixels` (H, W) or (H, W, 3) inside `frame`, with `filling` where it reaches beyond them."""
    left, top, right, bottom = frame
    height, width = pixels.shape[:2]
    cut = np.empty((bottom - top, right - left, *pixels.shape[2:]), np.uint8)
    cut[:] = filling
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    if rows.start < rows.stop and columns.start < columns.stop:
        cut[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = pixels[rows, columns]
    return cut


def resize(pixels: Pixels, side: int) -> Pixels:
    """`pixels` (H, W) or (H, W, 3) with the longer side exactly `side`: Lanczos smaller, bicubic larger."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return pixels
    kernel = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(pixels).resize(size, kernel))


def find_border_colour(pixels: Pixels) -> tuple[int, int, int]:
    """The median colour of the outermost rows and columns."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = (int(value) for value in np.median(edge, axis=0))
    return red, green, blue
