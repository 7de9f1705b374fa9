"""Colours that a network predicts for a small grey copy, transferred to the photograph along its own edges."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models.arrays import Pixels, Planes
from models.imaging.adjustments.enhancement import read_light
from models.imaging.colour import lab_to_rgb, rgb_to_lab, to_levels
from models.imaging.cutout.fringe import fit_lines
from models.imaging.scaling.mirroring import mirror

Infer = Callable[[Planes], Planes]
"""Lightness (1, 1, h, w), CIE L / 100, to pictures (1, 3, h, w) in [0, 1]; both sides multiples of some number."""

LONGEST = 4
"""A strip of a photograph is seen at so many times the network's size at most, on its longer side."""
RADIUS = 3
"""Pixels of the small copy within which colours follow the lightness along a line."""
ROWS = 512
"""Rows coloured at once, in floats, for photographs of any size."""


def colourise(pixels: Pixels, infer: Infer, size: int, multiple: int, strength: float = 1.0) -> Pixels:
    """The photo (H, W, 3) in the colours that `infer` finds, its own lightness kept and its own colours dropped.

    The network sees it with its shorter side `size` pixels. Colours then follow the lightness by the guided filter
    (He & Sun 2015, algorithm 2). `strength` multiplies how colourful they are: 0 is grey.
    """
    height, width = pixels.shape[:2]
    scale = min(size / min(height, width), LONGEST * size / max(height, width))
    small = read_light(shrink(pixels, scale)) / np.float32(100)
    found = rgb_to_lab(run(infer, small, multiple))[..., 1:]
    lines = [fit_lines(plane, np.repeat(small[..., None], 3, 2), RADIUS) for plane in np.moveaxis(found, 2, 0)]
    coarse = np.stack([slope.sum(2) for slope, _ in lines] + [offset for _, offset in lines], axis=-1)
    fields = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    coloured = np.empty_like(pixels)
    for top in range(0, height, ROWS):
        rows = slice(top, top + ROWS)
        light = read_light(pixels[rows])[..., None] / np.float32(100)
        colours = (fields[rows, :, :2] * light + fields[rows, :, 2:]) * np.float32(strength)
        coloured[rows] = to_levels(lab_to_rgb(np.concatenate((light * 100, colours), axis=2)))
    return coloured


def shrink(pixels: Pixels, scale: float) -> Pixels:
    """The picture at `scale` times its size; smaller by the mean over areas."""
    shape = [max(1, round(side * scale)) for side in pixels.shape[1::-1]]
    return np.asarray(cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))


def run(infer: Infer, lightness: Planes, multiple: int) -> Planes:
    """The picture (h, w, 3) that the network makes of a plane (h, w), which is mirrored to the sides that it takes."""
    height, width = lightness.shape
    return infer(mirror(lightness, multiple)[None, None])[0, :, :height, :width].transpose(1, 2, 0)
