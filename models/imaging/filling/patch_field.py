"""A hole filled by patches that occur elsewhere: a Markov random field of the picture's own patches."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree

from models.arrays import Indices, Mask, Pixels, Planes
from models.imaging.filling.blending import dilate, halve, resize, spread

RADIUS = 3
"""A patch is the square of 2 RADIUS + 1 pixels around its middle."""
FEATURES = 16
"""Principal components by which patches are compared."""
SHARPNESS = (1, 1, 2, 8)
"""Powers of the patches' weights, round by round: first a mean that agrees, at last nearly the best patch alone."""
COARSEST = 24
"""Levels are added while the shorter side is at least twice this."""
SOURCES = 40_000
"""The most patches compared; more are subsampled evenly."""
TRUST = 1.3
"""How much less a pixel counts for each pixel that it lies deeper in the hole (Wexler et al. 2007, section 3.3)."""


def fill_by_patches(photo: Pixels, hole: Mask) -> Pixels:
    """The photo (H, W, 3) with its hole (H, W) filled so that every patch of it looks like one outside.

    Space-time completion for one image (Wexler, Shechtman and Irani 2007, eq. 1 to 5): from coarse to fine, each patch
    that touches the hole finds its nearest whole one, and each pixel becomes the mean of what its patches found. Where
    no whole patch is known, the hole is filled smoothly.
    """
    levels = [(photo.astype(np.float32), hole)]
    while min(levels[-1][1].shape) >= 2 * COARSEST:
        values, inside = levels[-1]
        share = halve((~inside).astype(np.float32))
        total = halve(np.where(inside[..., None], np.float32(0), values))
        levels.append((np.asarray(total / np.maximum(share, 1e-6)[..., None], np.float32), share < 1))
    values, inside = levels[-1]
    filled = spread(values, ~inside)
    for values, inside in reversed(levels):
        if filled.shape != values.shape:
            filled = resize(filled, values.shape, cv2.INTER_LINEAR)
        filled = np.where(inside[..., None], filled, values)
        for sharpness in SHARPNESS:
            filled = improve(filled, inside, sharpness)
    return np.where(hole[..., None], np.clip(np.rint(filled), 0, 255).astype(np.uint8), photo)


def improve(values: Planes, hole: Mask, sharpness: int) -> Planes:
    """Values (H, W, 3) with the hole's pixels replaced by what the nearest whole patches have in their place."""
    inner = (slice(RADIUS, hole.shape[0] - RADIUS), slice(RADIUS, hole.shape[1] - RADIUS))
    touching = dilate(hole, RADIUS)[inner]
    wanted, whole = np.argwhere(touching), np.argwhere(~touching)
    if len(whole) <= FEATURES or not len(wanted):
        return spread(values, ~hole)
    whole = whole[:: -(-len(whole) // SOURCES)]
    span = 2 * RADIUS + 1
    windows = np.lib.stride_tricks.sliding_window_view(values, (span, span), (0, 1))
    distances, nearest = match(gather(windows, whole), gather(windows, wanted))
    return vote(values, hole, wanted, whole[nearest], distances, sharpness)


def gather(windows: Planes, places: Indices) -> Planes:
    """The patches (n, 147) at interior places (n, 2)."""
    return windows[places[:, 0], places[:, 1]].reshape(len(places), -1)


def match(whole: Planes, wanted: Planes) -> tuple[Planes, Indices]:
    """Squared distance to, and number of, the nearest of the patches `whole` for each that is wanted."""
    mean = whole.mean(0)
    _, vectors = np.linalg.eigh(np.cov(whole.T))
    basis = vectors[:, -FEATURES:]
    distance, nearest = cKDTree((whole - mean) @ basis).query((wanted - mean) @ basis, eps=0.5)
    return np.square(distance).astype(np.float32), nearest


def vote(values: Planes, hole: Mask, wanted: Indices, found: Indices, distances: Planes, sharpness: int) -> Planes:
    """The weighted mean of what all patches found for each pixel of the hole (Wexler et al. 2007, eq. 5)."""
    spread_of_distances = max(float(np.percentile(distances, 75)), 1.0)
    depth = cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    trust = TRUST ** -depth[wanted[:, 0] + RADIUS, wanted[:, 1] + RADIUS]
    near = np.exp(-np.minimum(distances / (2 * spread_of_distances), 8))
    weights = (trust * near) ** sharpness
    total, weight = np.zeros_like(values, np.float64), np.zeros(hole.shape)
    for down in range(2 * RADIUS + 1):
        for right in range(2 * RADIUS + 1):
            rows, columns = wanted[:, 0] + down, wanted[:, 1] + right
            total[rows, columns] += weights[:, None] * values[found[:, 0] + down, found[:, 1] + right]
            weight[rows, columns] += weights
    made = (total / np.maximum(weight, np.finfo(float).tiny)[..., None]).astype(np.float32)
    return np.where((hole & (weight > 0))[..., None], made, values)
