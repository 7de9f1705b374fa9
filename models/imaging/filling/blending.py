"""Colours spread smoothly into holes, and fillings blended seamlessly into their surroundings."""

from __future__ import annotations

import cv2
import numpy as np

from models.arrays import Mask, Pixels, Planes

SWEEPS = 6
"""Rounds of averaging at each scale, after which little is left to average (see `spread`)."""


def spread(values: Planes, known: Mask) -> Planes:
    """Values (H, W, C) whose unknown part is close to the harmonic one: each pixel the mean of its neighbours.

    Pull and push (Gortler et al. 1996, section 3.4), then Jacobi rounds at each scale. Zero where nothing is known.
    """
    if known.all() or not known.any():
        return np.where(known[..., None], values, np.float32(0))
    weight = known.astype(np.float32)
    levels = [(values * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 1 and (levels[-1][1] == 0).any():
        levels.append((halve(levels[-1][0]), halve(levels[-1][1])))
    total, weight = levels.pop()
    mean = total.sum((0, 1)) / weight.sum()
    filled = np.where(weight[..., None] > 0, total / np.maximum(weight, 1e-6)[..., None], mean)
    for total, weight in reversed(levels):
        larger = resize(filled, weight.shape, cv2.INTER_LINEAR)
        exact = total / np.maximum(weight, 1e-6)[..., None]
        filled = relax(np.where(weight[..., None] > 0, exact, larger), weight == 0)
    return filled


def relax(values: Planes, free: Mask) -> Planes:
    """Values (H, W, C) with those that are `free` (H, W) moved towards the mean of their neighbours."""
    for _ in range(SWEEPS):
        around = cv2.blur(values, (3, 3), borderType=cv2.BORDER_REPLICATE).reshape(values.shape)
        values = np.where(free[..., None], around, values)
    return values


def blend(photo: Pixels, guess: Planes, hole: Mask, rim: int) -> Pixels:
    """`photo` (H, W, C) with `guess` in its hole, corrected so that there is no jump at the hole's edge.

    What the guess misses in a rim of so many pixels around the hole is spread into it, as gradient-domain pasting does
    (Perez et al. 2003, eq. 5 to 7). Every pixel outside the hole stays as it is.
    """
    near = dilate(hole, rim)
    missing = spread(photo.astype(np.float32) - guess, near & ~hole)
    mended = np.clip(np.rint(guess + missing), 0, 255).astype(np.uint8)
    return np.where(hole[..., None], mended, photo)


def dilate(mask: Mask, reach: int) -> Mask:
    """The mask with all pixels at most `reach` away, across and down."""
    side = 2 * reach + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def halve(values: Planes) -> Planes:
    """Means of 2x2 pixels; of those that there are at an odd end."""
    height, width = values.shape[:2]
    pads = [(0, height % 2), (0, width % 2), (0, 0)][: values.ndim]
    return resize(np.pad(values, pads, mode="edge"), ((height + 1) // 2, (width + 1) // 2), cv2.INTER_AREA)


def resize(values: Planes, shape: tuple[int, ...], interpolation: int) -> Planes:
    """Values (H, W) or (H, W, C) at another height and width."""
    made = cv2.resize(values, (shape[1], shape[0]), interpolation=interpolation)
    return np.asarray(made, np.float32).reshape(*shape[:2], *values.shape[2:])
