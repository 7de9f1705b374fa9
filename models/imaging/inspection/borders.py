"""Borders added around a photograph: a plain band along its sides that ends in a straight step."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from models.arrays import Pixels

DEEPEST = 0.125  # of the side; a plain margin further in is composition, not a border
PLAIN = 12  # levels: a band whose pixels are nearer than this to its median is of one colour
STEP = 20  # levels between the band and what it encloses
SOFT = 3  # rows over which compression may spread the step
STRAY = 0.02  # of a band's pixels may be off its colour
SPANNED = 0.8  # of the side must take the step: a product that leaves the frame takes less


class Borders(NamedTuple):
    """Depth of the band on each side, in pixels; 0 where there is none."""

    top: int = 0
    right: int = 0
    bottom: int = 0
    left: int = 0

    @property
    def framed(self) -> bool:
        """True where two sides or more have a band: one alone may be a shelf, a floor or a horizon."""
        return sum(depth > 0 for depth in self) >= 2


def find_borders(pixels: Pixels) -> Borders:
    """The bands around a picture, uint8 (H, W, 3) in RGB.

    Seen: bands, frame lines at or near the edge, and letterboxes, of one colour and with straight edges. Not seen:
    patterned, torn, rounded or fading ones, and a band of the colour of the background that it encloses.
    """
    # One side after another is turned to the top, where the same reading finds the band.
    turned = (pixels, np.rot90(pixels, 1), np.rot90(pixels, 2), np.rot90(pixels, 3))
    return Borders(*(_band_depth(np.ascontiguousarray(side[: _reach(len(side))])) for side in turned))


def _reach(side: int) -> int:
    return max(2, int(side * DEEPEST)) + SOFT


def _band_depth(rows: Pixels) -> int:
    """Rows at the top of `rows` that are of one colour, if they end in a straight step; else 0."""
    colour = np.median(rows[0], axis=0).astype(np.uint8)
    off = _distance(rows, np.broadcast_to(colour, rows.shape)) > PLAIN
    busy = np.flatnonzero(off.mean(axis=1) > STRAY)
    if not len(busy) or busy[0] == 0 or busy[0] >= len(rows) - SOFT:
        return 0
    depth = int(busy[0])
    # A smooth gradient passes `PLAIN` too, all along a row: only a step is far from the row just before it.
    inside = rows[depth : depth + SOFT]
    steps = (_distance(inside, np.broadcast_to(rows[depth - 1], inside.shape)) > STEP).mean(axis=1)
    return depth if steps.max() >= SPANNED else 0


def _distance(one: Pixels, other: Pixels) -> Pixels:
    """Largest difference of a channel, uint8 (H, W)."""
    return np.asarray(cv2.absdiff(one, np.ascontiguousarray(other)).max(axis=2), np.uint8)
