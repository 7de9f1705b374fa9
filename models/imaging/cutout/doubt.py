"""When a product's mask should not be trusted, judging by the mask and the picture alone."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from models.arrays import Pixels, Planes
from models.imaging.colour import rgb_to_lab
from models.imaging.cutout.geodesic import measure_roughness
from models.imaging.cutout.matte import CUT, SMALLEST_SIDE, shrink

SMALLEST, LARGEST = 0.02, 0.85
FAINT = 6.0
"""A Lab difference across the outline below which product and background are hardly distinguishable."""
MOST_FAINT = 0.25
ROUGH = 3.0
"""Roughness of the border, in Lab steps, of a patterned background."""
SCATTERED = 0.9
PLACES = (
    ("top", (0, slice(None))),
    ("bottom", (-1, slice(None))),
    ("left", (slice(None), 0)),
    ("right", (slice(None), -1)),
)


def list_doubts(pixels: Pixels, matte: Planes) -> tuple[str, ...]:
    """Reasons to doubt that `matte` (H, W) is the product of `pixels` (H, W, 3): one short line each."""
    small = shrink(pixels, CUT)
    if min(small.shape[:2]) < SMALLEST_SIDE:
        return (f"{pixels.shape[1]}x{pixels.shape[0]} pixels are too few or too narrow to tell a product",)
    mask = cv2.resize(matte, small.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    if not mask.any():
        return ("no product stands out from the border",)
    doubts = []
    area = float(mask.mean())
    if not SMALLEST <= area <= LARGEST:
        doubts.append(f"the product would cover {area:.1%} of the picture")
    touched = [name for name, line in PLACES if mask[line].mean() > 0.05]
    if touched:
        doubts.append(f"it touches the picture's border ({', '.join(touched)}): cut off, or not the product")
    faint = measure_faintness(rgb_to_lab(small), mask)
    if faint > MOST_FAINT:
        doubts.append(f"{faint:.0%} of its outline hardly differs from the background")
    if (roughness := measure_roughness(rgb_to_lab(small))) > ROUGH:
        doubts.append(f"the background is patterned (steps of {roughness:.1f} Lab units)")
    _, _, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if (largest := float(facts[1:, cv2.CC_STAT_AREA].max() / mask.sum())) < SCATTERED:
        doubts.append(f"it is in pieces, the largest {largest:.0%} of it")
    return tuple(doubts)


def measure_faintness(lab: Planes, mask: npt.NDArray[np.bool_]) -> float:
    """The share of the outline across which `lab` (h, w, 3) differs by less than FAINT, beyond three pixels."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    grown = cv2.dilate(mask.astype(np.uint8), kernel) > 0
    outline = grown & ~mask
    if not outline.any():
        return 0.0
    inside = average_where(lab, cv2.erode(mask.astype(np.uint8), kernel) > 0)
    outside = average_where(lab, ~(cv2.dilate(grown.astype(np.uint8), kernel) > 0))
    return float((np.linalg.norm(inside - outside, axis=2)[outline] < FAINT).mean())


def average_where(lab: Planes, known: npt.NDArray[np.bool_]) -> Planes:
    """The mean of `lab` over the `known` pixels within three of each pixel; where there are none, black."""
    weight = known.astype(np.float32)
    return np.asarray(cv2.blur(lab * weight[..., None], (7, 7)) / (cv2.blur(weight, (7, 7))[..., None] + 1e-6))
