"""A product's soft mask: what the border cannot reach without crossing edges, cut out by GrabCut, its edge softened."""

from __future__ import annotations

import cv2
import numpy as np

from models.arrays import Mask, Pixels, Planes
from models.imaging.colour import to_unit
from models.imaging.cutout.fringe import follow_edges
from models.imaging.cutout.geodesic import cross_edges, mark_border, measure_roughness
from models.imaging.cutout.masks import disc, drop_crumbs, gather, grow, open_mask, shrink_mask
from models.imaging.cutout.shadow import SMOOTH, drop_shadow, find_shade, peel_shadow, spread_backdrop

Box = tuple[int, int, int, int]

SEARCHED = 256
"""Longest side at which the product is sought."""
CUT = 384
"""Longest side at which GrabCut draws its outline."""
ROUNDS = 3
SMALLEST_SIDE = 16
"""Below this shorter side, once shrunk, a product cannot be found: the whole picture is taken for one."""
PATTERN = 3.5
"""Steps in the border, in Lab, that are tiles or stripes."""
LOWEST = 0.5
SCANT = 0.02
"""Anything covering less than this share of the picture is a detail, not the product."""
ENCLOSED = 15.0
"""An area of the backdrop's colour behind edges this high is a hole, such as a handle's."""
SHARP = 15.0
"""How much Lab changes across a hole's edge."""


def find_product(pixels: Pixels) -> Planes:
    """How much of each pixel of `pixels` (H, W, 3) in RGB is product: (H, W) in 0..1, exactly 0 and 1 off the edge.

    All 0 where nothing stands out from the border; `list_doubts` says when not to trust it. GrabCut (Rother et al.
    2004) begins from a prior of our own: the geodesic distance from the border, with shadows left undecided.
    """
    height, width = pixels.shape[:2]
    small = shrink(pixels, CUT)
    if min(small.shape[:2]) < SMALLEST_SIDE:
        return np.ones((height, width), np.float32)
    labels = mark_prior(pixels, small.shape[0], small.shape[1])
    if (labels == cv2.GC_BGD).all():
        return np.zeros((height, width), np.float32)
    mask = cut_out(small, labels)
    if mask.mean() < SCANT:
        mask = cut_out(small, lay_ellipse(small.shape[0], small.shape[1]))
    return soften(peel_shadow(mask, small), small, pixels)


def find_box(matte: Planes, level: float = 0.5) -> Box | None:
    """Left, top, right, bottom (the last two exclusive) of where `matte` (H, W) is above `level`; None if nowhere."""
    inside = matte > level
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def shrink(pixels: Pixels, side: int) -> Pixels:
    """The picture with its longer side at most `side`, by area averages."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def mark_prior(pixels: Pixels, height: int, width: int) -> Pixels:
    """GrabCut's labels (height, width): what is surely or probably product or background."""
    small = to_unit(shrink(pixels, SEARCHED))
    # Blurred in float: 8 bits would put steps of half a Lab unit into a smooth backdrop.
    small = np.asarray(cv2.GaussianBlur(small, (0, 0), 0.8), np.float32)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
    roughness = measure_roughness(lab)
    patterned = roughness >= SMOOTH or measure_roughness(lab, 97) >= PATTERN
    distance = cross_edges(lab, max(roughness, 0.12), patterned)
    if distance.max() < LOWEST:
        return np.full((height, width), cv2.GC_BGD, np.uint8)
    low, high = choose_levels(distance)
    if not patterned:
        labels = mark_studio(small, lab, distance, low)
    else:
        body = gather(distance > low, 0)
        labels = mark_body(body)
        labels[find_core(body) & (distance > high)] = cv2.GC_FGD
    return np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def mark_body(body: Mask) -> Pixels:
    """Labels that take `body` for the product, probably, and what is off it for background."""
    labels = np.where(body, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[~grow(body, 5)] = cv2.GC_BGD
    return labels


def find_core(body: Mask) -> Mask:
    """What of the body is well away from its outline."""
    return shrink_mask(body, 0.05 * max(body.shape))


def lay_ellipse(height: int, width: int) -> Pixels:
    """Labels that only state that the product is in the middle and the border is background."""
    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    centre, axes = (width // 2, height // 2), (round(width * 0.36), round(height * 0.36))
    cv2.ellipse(labels, centre, axes, 0, 0, 360, cv2.GC_PR_FGD, -1)
    labels[mark_border((height, width), max(1, max(height, width) // 32))] = cv2.GC_BGD
    return labels


def choose_levels(distance: Planes) -> tuple[float, float]:
    """From which distance on a pixel may be product, and from which it most probably is (Otsu's, of the logarithm)."""
    logarithm = np.log1p(np.minimum(distance, 60.0))
    greatest = float(logarithm.max())
    grey = (logarithm / greatest * 255).astype(np.uint8)
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    high = float(np.expm1(threshold / 255 * greatest))
    band = mark_border(distance.shape, max(2, max(distance.shape) // 16))
    low = max(LOWEST, 2.5 * float(np.percentile(distance[band], 95)))
    return min(low, max(high, LOWEST)), high


def mark_studio(colours: Planes, lab: Planes, distance: Planes, low: float) -> Pixels:
    """Labels for a smooth backdrop, where shadows, and holes through the product, can be told by the backdrop."""
    body = gather(distance > low, 5)
    behind = spread_backdrop(colours, ~grow(body, 3))
    shade = find_shade(colours, behind)
    body = drop_shadow(body, shade, distance)
    labels, core = mark_body(body), find_core(body)
    labels[body & shade & ~core] = cv2.GC_PR_BGD
    labels[core | shrink_mask(body, 1) & ~shade & (distance > 2 * low)] = cv2.GC_FGD
    alike = np.linalg.norm(lab - cv2.cvtColor(behind, cv2.COLOR_RGB2LAB), axis=2) < 6
    labels[keep_sharp(open_mask(alike & (distance > ENCLOSED), 1.5), lab)] = cv2.GC_BGD
    return labels


def keep_sharp(mask: Mask, lab: Planes) -> Mask:
    """The pieces of the mask that end at sharp edges: a hole does, the backdrop's reflection in steel fades."""
    slopes = cv2.morphologyEx(lab, cv2.MORPH_GRADIENT, disc(1)).max(axis=2)
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    kept = np.zeros_like(mask)
    for piece in range(1, int(pieces.max()) + 1):
        inside = pieces == piece
        rim = slopes[grow(inside, 2) & ~inside]
        if rim.size and np.percentile(rim, 25) > SHARP:
            kept |= inside
    return kept


def cut_out(small: Pixels, labels: Pixels) -> Mask:
    """GrabCut's outline of the product in `small` (h, w, 3), from labels (h, w), small pieces dropped."""
    front = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if front.any() and not front.all() and (labels == cv2.GC_BGD).any():
        smooth = cv2.bilateralFilter(small, 5, 15, 3)
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        labels = labels.copy()
        cv2.grabCut(smooth, labels, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
        front = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    return drop_crumbs(front)


def soften(mask: Mask, small: Pixels, pixels: Pixels) -> Planes:
    """The mask (h, w) at full size: 0 and 1 outside a narrow band around its outline, in the band by the colours."""
    size = (pixels.shape[1], pixels.shape[0])
    alpha = follow_edges(mask.astype(np.float32), small, pixels, 2)
    alpha = np.clip((alpha - 0.15) / 0.7, 0, 1)
    inner = cv2.resize(shrink_mask(mask, 2).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    outer = cv2.resize(grow(mask, 2).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.minimum(np.maximum(alpha, inner), outer), np.float32)
