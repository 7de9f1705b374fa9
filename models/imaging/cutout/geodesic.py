"""How much edge lies between a picture's border and a pixel: little in the background, much in the product."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from models.arrays import Mask, Planes

STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
DARKENING = 0.8
"""What a step into the dark costs beside one into the light: shadows darken, and are background."""
CHROMA = 1.5
"""What a step in a and b costs beside one in L: shadows and folds keep the hue."""
STEEPEST = 12.0
"""A step above this costs no more, so that one black part does not outweigh a pale product."""
FREE = 1e-3
"""What the smallest step costs; the search needs a positive price."""
COLOURS = 4
RARE = 0.1
"""A border colour on a smaller share of it may be a product that the frame cuts."""
STRANGE = 15.0
TYPICAL = 6.0
COMMON = 0.15
"""The share of its price that a step onto a common colour costs, where the background is patterned."""


def mark_border(shape: tuple[int, ...], thick: int) -> Mask:
    """True in the outer `thick` rows and columns of `shape`, (H, W)."""
    height, width = shape
    flags = np.ones((height, width), bool)
    flags[thick : height - thick, thick : width - thick] = False
    return flags


def measure_roughness(lab: Planes, percent: float = 70) -> float:
    """The Lab step between neighbours that `percent` of the border band of `lab` (H, W, 3) stays below: its texture."""
    steps = np.linalg.norm(np.diff(lab, axis=1), axis=2)
    band = mark_border(steps.shape, max(2, min(lab.shape[:2]) // 16))
    return float(np.percentile(steps[band], percent))


def cross_edges(lab: Planes, floor: float, patterned: bool = False) -> Planes:
    """The cheapest path's price from the border to each pixel of `lab` (H, W, 3), in Lab units, (H, W).

    A step costs what its colour difference exceeds `floor` by; entering at a border pixel of a colour that is rare on
    the border costs too, so that a product which the frame cuts is not taken for background (a geodesic saliency,
    Wei et al. 2012, section 3.1, with prices of our own for shadows). In front of a `patterned` background a step onto
    a colour that is common on the border costs little.
    """
    height, width = lab.shape[:2]
    count = height * width
    index = np.arange(count).reshape(height, width)
    border = mark_border((height, width), 1)
    entries = price_entries(lab)
    starts, ends, prices = [np.full(border.sum(), count)], [index[border]], [entries[border] + FREE]
    weights = COMMON + (1 - COMMON) * np.minimum(entries / STRANGE, 1) if patterned else np.ones_like(entries)
    for down, right in STEPS:
        here = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
        there = (slice(down, height), slice(max(0, right), width + min(0, right)))
        step = lab[there] - lab[here]
        allowed = floor * float(np.hypot(down, right))
        for first, second, way in ((here, there, step), (there, here, -step)):
            starts.append(index[first].ravel())
            ends.append(index[second].ravel())
            prices.append((weights[second] * price_steps(way, allowed)).ravel())
    where = (np.concatenate(starts), np.concatenate(ends))
    graph = coo_array((np.concatenate(prices), where), shape=(count + 1, count + 1)).tocsr()
    paths = dijkstra(graph, indices=count)
    return np.asarray(paths[:count].reshape(height, width), np.float32)


def price_steps(steps: Planes, allowed: float) -> Planes:
    """The price (H, W) of `steps` (H, W, 3) in Lab: what exceeds `allowed`, at most STEEPEST."""
    light = steps[..., 0] * np.where(steps[..., 0] < 0, DARKENING, 1.0)
    length = np.sqrt(light**2 + CHROMA**2 * (steps[..., 1:] ** 2).sum(axis=2))
    return np.asarray(np.clip(length - allowed, 0, STEEPEST) + FREE, np.float32)


def price_entries(lab: Planes) -> Planes:
    """How far each pixel's colour is from the common colours of the border, (H, W)."""
    samples = np.ascontiguousarray(lab[mark_border(lab.shape[:2], max(1, max(lab.shape[:2]) // 64))])
    count = min(COLOURS, len(samples))
    cv2.setRNGSeed(0)  # k-means++ starts at random; the same picture must give the same mask
    start = np.zeros((len(samples), 1), np.int32)
    _, labels, centres = cv2.kmeans(samples, count, start, (3, 20, 0.5), 2, cv2.KMEANS_PP_CENTERS)
    share = np.bincount(labels.ravel(), minlength=count) / len(samples)
    distance = np.linalg.norm(lab[:, :, None] - centres, axis=3) + STRANGE * (share < RARE)
    return np.asarray(np.maximum(distance.min(axis=2) - TYPICAL, 0), np.float32)
