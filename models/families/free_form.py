"""Free-form holes, drawn by seed, for training and measuring inpainting."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from models.arrays import Mask

Share = tuple[float, float]

BUCKETS: tuple[Share, ...] = ((0.01, 0.10), (0.10, 0.20), (0.20, 0.40))
"""Shares of an image's area, least and most, that the holes of one comparison take."""
CORNERS = 6
"""A stroke's corners, on average."""
TURN = 0.4 * np.pi
TURN_SPREAD = 0.2 * np.pi
STEP = (0.08, 0.30)
BRUSH = (0.03, 0.08)
"""A stroke's steps and its thickness, least and most, as shares of the shorter side."""


def draw_mask(height: int, width: int, share: Share, generator: np.random.Generator) -> Mask:
    """A hole of zigzag strokes of a round brush (Yu et al. 2019, algorithm 1), bool (H, W).

    The part of the area that it takes is drawn evenly from `share` and passed by one step of the brush at most; strokes
    that would pass the share's upper end are made smaller, down to single pixels.
    """
    wanted = int(generator.uniform(*share) * height * width)
    canvas, lifted, reduced = np.zeros((height, width), np.uint8), True, 1.0
    while cv2.countNonZero(canvas) < wanted:
        if lifted:
            side, point = min(height, width), generator.uniform((0, 0), (width, height))
            heading, sense = generator.uniform(0, 2 * np.pi), 1
            brush = max(1, round(side * generator.uniform(*BRUSH) * reduced))
        heading, sense = heading + sense * (TURN + generator.uniform(-TURN_SPREAD, TURN_SPREAD)), -sense
        step = reduced * side * generator.uniform(*STEP) * np.array((np.cos(heading), np.sin(heading)))
        target = point + step
        longer = canvas.copy()
        cv2.line(longer, to_pixel(point), to_pixel(target), 1, brush)
        inside = (target >= 0).all() and (target < (width, height)).all()
        fits = cv2.countNonZero(longer) <= share[1] * height * width
        lifted = not (inside and fits) or generator.random() < 1 / CORNERS
        reduced = 1.0 if fits else reduced / 2
        if fits:
            canvas, point = longer, target
    return canvas > 0


def to_pixel(point: npt.NDArray[np.float64]) -> tuple[int, int]:
    """The pixel (x, y) nearest to a point."""
    return round(float(point[0])), round(float(point[1]))
