"""A change made to a reduced copy of a photograph, transferred to the photograph itself with its detail kept."""

from __future__ import annotations

from math import ceil
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from models.arrays import Pixels, Planes
from models.imaging.colour import LUMA

Values = TypeVar("Values", Pixels, Planes)
Window = tuple[slice, slice]

ROWS = 512
"""Rows changed at once, in floats, for photographs of any size."""
SMALLEST = 32
"""The shortest side that is painted."""


def reduce(pixels: Values, size: int) -> Values:
    """The picture (H, W, C), or one plane (H, W), with its longer side `size` at most, and no side below `SMALLEST`."""
    height, width = pixels.shape[:2]
    scale = min(1.0, size / max(height, width))
    shape = [max(SMALLEST, round(side * scale)) for side in (width, height)]
    shrinks = shape[0] <= width and shape[1] <= height
    made = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(made, pixels.dtype)


def lift(photo: Pixels, before: Pixels, after: Pixels, share: Planes, luma_only: bool = False) -> Pixels:
    """The photo (H, W, 3) changed as its reduced copy was, from `before` to `after` (h, w, 3).

    What the copy cannot show, the photo's own details, stays (the upper bands of a Laplacian pyramid, Burt & Adelson
    1983). `share` (H, W) says how much of the change each pixel takes: 0 leaves its bytes. `luma_only` changes the
    three channels alike, by the change in luma, and so keeps the colours (Gatys et al. 2016b, section 5.2).
    """
    change = after.astype(np.float32) - before
    if luma_only:
        change = np.repeat((change @ LUMA)[..., None], 3, axis=2)
    height, width = photo.shape[:2]
    large = np.asarray(cv2.resize(np.rint(change).astype(np.int16), (width, height), interpolation=cv2.INTER_CUBIC))
    changed = photo.copy()
    for top in range(0, height, ROWS):
        rows = slice(top, top + ROWS)
        values = photo[rows] + large[rows] * share[rows, :, None]
        changed[rows] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return changed


def soften(inside: npt.NDArray[np.bool_], sigma: float) -> Planes:
    """A mask (H, W) as shares in 0..1 that rise from its edge inwards; all outside stays 0."""
    return np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma), np.float32) * inside


def frame(share: Planes, margin: float) -> Window:
    """The window that holds all of the picture that takes a share, and `margin` of its longer side around it."""
    rows, columns = (np.flatnonzero((share > 0).any(axis)) for axis in (1, 0))
    reach = ceil(margin * max(rows[-1] - rows[0], columns[-1] - columns[0]))
    return (
        slice(max(int(rows[0]) - reach, 0), int(rows[-1]) + 1 + reach),
        slice(max(int(columns[0]) - reach, 0), int(columns[-1]) + 1 + reach),
    )


def to_grey(pixels: Pixels) -> Pixels:
    """The picture (H, W, 3) with its luma in all three channels."""
    return _grey(pixels @ LUMA)


def match_luma(style: Pixels, photo: Pixels) -> Pixels:
    """The style picture in grey, its luma of the mean and the spread of the photo's (Gatys et al. 2016b, eq. 10)."""
    ours, theirs = style @ LUMA, photo @ LUMA
    return _grey((ours - ours.mean()) * (theirs.std() / max(float(ours.std()), 1.0)) + theirs.mean())


def _grey(luma: Planes) -> Pixels:
    levels = np.clip(np.rint(luma), 0, 255).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)
