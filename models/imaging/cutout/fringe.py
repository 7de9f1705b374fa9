"""The soft edge of a mask at full size, and the product's own colours under it."""

from __future__ import annotations

import cv2
import numpy as np

from models.arrays import Pixels, Planes
from models.imaging.colour import to_unit

SMOOTHEST = 4e-4
"""Regularisation of the guided filter: colour variances (of values in 0..1) below it are no edge."""
WIDE = 45
NARROW = 3


def follow_edges(mask: Planes, guide: Pixels, pixels: Pixels, radius: int) -> Planes:
    """A mask (h, w) of 0..1 at the size of `pixels` (H, W, 3), its edge moved to that of the picture.

    `guide` (h, w, 3) is the same picture at the mask's size. The colour guided filter (He et al. 2013, eqs. 14 to 16),
    its coefficients found at the small size and used at the full one (He & Sun 2015, algorithm 2).
    """
    slope, offset = fit_lines(mask, to_unit(guide), radius)
    size = (pixels.shape[1], pixels.shape[0])
    alpha = np.asarray(cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR), np.float32)
    for channel in range(3):  # one at a time: a photograph of 24 megapixels in float32 is 288 MB
        plane = to_unit(pixels[..., channel])
        alpha += cv2.resize(slope[..., channel], size, interpolation=cv2.INTER_LINEAR) * plane
    return np.asarray(np.clip(alpha, 0, 1), np.float32)


def fit_lines(mask: Planes, guide: Planes, radius: int) -> tuple[Planes, Planes]:
    """Slopes (h, w, 3) and offsets (h, w) that give the mask from the guide's colours in each window."""
    mean, level = smooth(guide, radius), smooth(mask, radius)
    products = np.einsum("hwi,hwj->hwij", guide, guide).reshape(*mask.shape, 9)
    second = np.concatenate([smooth(np.ascontiguousarray(products[..., i : i + 3]), radius) for i in (0, 3, 6)], 2)
    variance = second.reshape(*mask.shape, 3, 3) - np.einsum("hwi,hwj->hwij", mean, mean)
    covariance = smooth(guide * mask[..., None], radius) - mean * level[..., None]
    slope = np.linalg.solve(variance + SMOOTHEST * np.eye(3, dtype=np.float32), covariance[..., None])[..., 0]
    offset = level - (slope * mean).sum(axis=2)
    return smooth(slope.astype(np.float32), radius), smooth(offset.astype(np.float32), radius)


def smooth(planes: Planes, radius: int) -> Planes:
    """The mean in the square window of `radius`."""
    side = 2 * radius + 1
    return np.asarray(cv2.blur(planes, (side, side), borderType=cv2.BORDER_REFLECT))


def clean_colours(pixels: Pixels, alpha: Planes) -> Pixels:
    """The product's colours (H, W, 3) without the background that shows through where `alpha` (H, W) is below 1.

    Two rounds of blurred fusion (Forte 2021, "Approximate Fast Foreground Colour Estimation", eqs. 4 to 7), in the
    box around the soft pixels. Where alpha is 1 the bytes stay.
    """
    soft = (alpha > 0) & (alpha < 1)
    if not soft.any():
        return pixels
    rows, columns = np.flatnonzero(soft.any(axis=1)), np.flatnonzero(soft.any(axis=0))
    # With what lies around it, where the pure colours are.
    window = (slice(max(rows[0] - WIDE, 0), rows[-1] + WIDE), slice(max(columns[0] - WIDE, 0), columns[-1] + WIDE))
    image, share = pixels[window].astype(np.float32), alpha[window][..., None]
    front = back = image
    for radius in (WIDE, NARROW):
        front, back = fuse(image, front, back, share, radius)
    cleaned = pixels.copy()
    cleaned[window] = np.where(
        soft[window][..., None], np.clip(np.rint(front), 0, 255).astype(np.uint8), cleaned[window]
    )
    return cleaned


def fuse(image: Planes, front: Planes, back: Planes, alpha: Planes, radius: int) -> tuple[Planes, Planes]:
    """One round: colours of product and background from their neighbourhoods, corrected to give `image` together."""
    near = smooth(front * alpha, radius) / (smooth(alpha[..., 0], radius)[..., None] + 1e-5)
    far = smooth(back * (1 - alpha), radius) / (smooth(1 - alpha[..., 0], radius)[..., None] + 1e-5)
    corrected = np.clip(near + alpha * (image - alpha * near - (1 - alpha) * far), 0, 255)
    return corrected, far
