"""Shadows of a product in front of a studio's backdrop: told by the backdrop's own colours, only darker."""

from __future__ import annotations

import cv2
import numpy as np

from models.arrays import Mask, Pixels, Planes
from models.imaging.colour import to_unit
from models.imaging.cutout.geodesic import measure_roughness
from models.imaging.cutout.masks import drop_crumbs, gather, grow, open_mask

SMOOTH = 0.55
"""Roughness of the border, in Lab, below which it is a studio's backdrop."""
SOFT = 0.4
FIRM = 20.0
MOST_SHADOW = 0.27
"""A shadow's distance from the border beside the product's; the least of the product; the most that shadow covers."""
BLACK = 0.06
"""A product that gives back less than this share of the backdrop's light is never taken for its own shadow."""
FAINTEST = 0.22
"""The share of the backdrop's light that is left in a shadow beside a black product, at least."""
LOW = 0.55
"""Shadows lie below this share of the product's height."""


def drop_shadow(body: Mask, shade: Mask, distance: Planes) -> Mask:
    """The body without its shadow, if it is sure to be one; a white product looks like one, and is not to be cut.

    Behind a shadow's soft edge the distance is small; behind the edge of a product unlike the backdrop it is large.
    """
    if not (body & ~shade).any():
        return body
    firm = float(np.median(distance[body & ~shade]))
    shadow = body & shade & (distance < SOFT * firm)
    like_product = firm < FIRM or np.median(distance[body]) < 0.75 * firm or shadow.sum() > MOST_SHADOW * body.sum()
    return body if like_product else gather(open_mask(body & ~shadow, 1), 2)


def peel_shadow(mask: Mask, small: Pixels) -> Mask:
    """The mask (h, w) of a black product in `small` (h, w, 3) without the shadow that GrabCut left on its outside.

    Other products stay as they are: anything as light as a shadow may be the product itself.
    """
    colours = np.asarray(cv2.GaussianBlur(to_unit(small), (0, 0), 0.8), np.float32)
    lab = np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2LAB), np.float32)
    if not mask.any() or mask.all() or measure_roughness(lab) >= SMOOTH:
        return mask
    behind = spread_backdrop(colours, ~grow(mask, 4))
    light = measure_light(colours, behind).mean(axis=2)
    if np.median(light[mask]) > BLACK:
        return mask
    rows = np.flatnonzero(mask.any(axis=1))
    low = np.arange(len(mask))[:, None] >= rows[0] + LOW * (rows[-1] - rows[0])
    shadow = open_mask(mask & find_shade(colours, behind) & (light > FAINTEST) & low, 1)
    _, pieces = cv2.connectedComponents((shadow | ~mask).astype(np.uint8), connectivity=4)
    outside = np.isin(pieces, np.unique(pieces[~mask]))
    left = drop_crumbs(open_mask(mask & ~outside, 1))
    return left if left.sum() > (1 - MOST_SHADOW) * mask.sum() else mask


def spread_backdrop(colours: Planes, known: Mask) -> Planes:
    """The backdrop's colours (H, W, 3) continued from where it is `known` over the rest, by wide blurs."""
    weight = known.astype(np.float32)
    total, count = np.zeros_like(colours), np.full(known.shape, 1e-6, np.float32)
    total += 1e-6 * (colours[known].mean(axis=0) if known.any() else colours.mean(axis=(0, 1)))
    for sigma, share in ((max(known.shape) / 10, 1.0), (max(known.shape) / 2.5, 0.05)):
        total += share * cv2.GaussianBlur(colours * weight[..., None], (0, 0), sigma)
        count += share * cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(total / count[..., None], np.float32)


def find_shade(colours: Planes, behind: Planes) -> Mask:
    """Where the picture is the backdrop, darkened in all three channels alike."""
    ratio = measure_light(colours, behind)
    mean = ratio.mean(axis=2)
    spread = np.abs(ratio / mean[..., None] - 1).max(axis=2)
    return np.asarray((mean > 0.2) & (mean < 1.03) & (spread < 0.07 + 0.12 * np.clip(1 - mean, 0, 1)))


def measure_light(colours: Planes, behind: Planes) -> Planes:
    """The light of the picture (H, W, 3) as a share of the backdrop's; of light, not of coded values."""
    return np.asarray((colours**2.2 + 1e-3) / (behind**2.2 + 1e-3), np.float32)
