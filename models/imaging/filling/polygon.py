"""Polygons filled on a grid of pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def fill_polygon(mask: npt.NDArray[np.bool_], points: Sequence[tuple[float, float]]) -> None:
    """Set the pixels of `mask` (H, W) whose centres lie inside the polygon of `points` (x, y), even-odd rule.

    A pixel (column x, row y) has its centre at (x + 0.5, y + 0.5): a rectangle's corners mark what its box does.
    """
    xs, ys = np.array(points, np.float64).T
    next_xs, next_ys = np.roll(xs, -1), np.roll(ys, -1)
    first, last = max(0, int(np.ceil(ys.min() - 0.5))), min(mask.shape[0], int(np.ceil(ys.max() - 0.5)))
    for row in range(first, last):
        centre = row + 0.5
        crossing = (ys <= centre) != (next_ys <= centre)
        along = (centre - ys[crossing]) / (next_ys[crossing] - ys[crossing])
        edges = np.sort(xs[crossing] + along * (next_xs[crossing] - xs[crossing]))
        columns = np.clip(np.ceil(edges - 0.5), 0, mask.shape[1]).astype(int)
        for left, right in zip(columns[::2], columns[1::2], strict=True):
            mask[row, left:right] = True
