"""Bicubic resampling with Pillow's kernel, of planes and as a matrix."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.arrays import Planes

SHARPNESS = -0.5
"""The cubic's parameter a (Keys 1981), as in Pillow and MATLAB; OpenCV's is -0.75, another baseline."""


def resize(plane: npt.NDArray[Any], height: int, width: int) -> Planes:
    """A plane (H, W) as floats at another size by Pillow's bicubic, which widens its kernel to shrink; not rounded."""
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


@functools.lru_cache(maxsize=16)
def weigh(before: int, after: int) -> Planes:
    """Pillow's bicubic along one side as a matrix (after, before); each row sums to 1."""
    ratio = before / after
    support = 2 * max(ratio, 1.0)
    centres = (np.arange(after) + 0.5) * ratio
    pixels = np.arange(before) + 0.5
    first = np.floor(centres - support + 0.5).clip(0)[:, None]
    last = np.floor(centres + support + 0.5).clip(None, before)[:, None]
    weights = cubic((pixels - centres[:, None]) / max(ratio, 1.0))
    weights[(pixels < first) | (pixels > last)] = 0
    matrix: Planes = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    matrix.flags.writeable = False
    return matrix


def cubic(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The cubic convolution kernel (Keys 1981, eq. 15), zero from distance 2 on."""
    x, a = np.abs(x), SHARPNESS
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))
