"""Holes of any size in photographs of any size, cut out with their surroundings and filled at a network's scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil

import cv2
import numpy as np

from models.arrays import Mask, Pixels, Planes
from models.imaging.filling.blending import blend, dilate, resize
from models.imaging.scaling.mirroring import mirror
from models.imaging.scaling.tiles import spans

Window = tuple[slice, slice]
Fill = Callable[[Pixels, Mask], Pixels]
"""Pixels (H, W, 3) and the hole (H, W) in them to whole pixels."""
Infer = Callable[[Planes, Planes], Planes]
"""Planes (1, 3, H, W) in [0, 1] and masks (1, 1, H, W), both sides multiples of some number, to planes."""

THICKEST = 36
"""A hole wider than this, in pixels, is filled in a reduced picture: networks learn from narrower ones."""
CONTEXT = 64
"""Pixels around a hole that are seen, in the picture that a network sees."""
TILE = 256
TOGETHER = 8
"""Half the distance, in pixels, below which holes share a window: dust would else take thousands of them."""
GREY = 0.5
WHOLE = 0.999


def fill_holes(photo: Pixels, hole: Mask, fill: Fill, context: Callable[[Mask], int]) -> Pixels:
    """The photo (H, W, 3) with each hole filled in a window of its own; all pixels outside stay as they are.

    `context` says how many pixels around a hole its window shows. Later windows see what was filled before.
    """
    filled, open_ = photo.copy(), hole.copy()
    for window, own in find_holes(hole, context):
        made = fill(filled[window], open_[window])
        filled[window][own], open_[window][own] = made[own], False
    return filled


def find_holes(hole: Mask, context: Callable[[Mask], int]) -> Iterator[tuple[Window, Mask]]:
    """Holes, those together that are nearer than `TOGETHER`: their window in the photo, and themselves in it."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats(dilate(hole, TOGETHER).astype(np.uint8))
    for piece in range(1, count):
        left, top, width, height = (int(value) for value in facts[piece, :4])
        area = (slice(top, top + height), slice(left, left + width))
        reach = context(trim((labels[area] == piece) & hole[area]))
        window = (
            slice(max(top - reach, 0), min(top + height + reach, hole.shape[0])),
            slice(max(left - reach, 0), min(left + width + reach, hole.shape[1])),
        )
        yield window, (labels[window] == piece) & hole[window]


def trim(mask: Mask) -> Mask:
    """The part of a mask that holds all that is marked."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def measure_thickness(hole: Mask) -> float:
    """The width of a hole (H, W) where it is widest, in pixels."""
    framed = np.pad(hole, 1).astype(np.uint8)
    return 2 * float(cv2.distanceTransform(framed, cv2.DIST_L2, 5).max())


def network_context(hole: Mask) -> int:
    """How many pixels around a hole a network is shown."""
    return ceil(CONTEXT * choose_factor(hole))


def choose_factor(hole: Mask) -> float:
    """How many times the picture is reduced for a network to fill this hole; at least 1."""
    return max(1.0, measure_thickness(hole) / THICKEST)


def fill_by_network(photo: Pixels, hole: Mask, infer: Infer, multiple: int) -> Pixels:
    """The photo (H, W, 3) with its hole filled by a network, in a reduced copy where the hole is wide.

    The reduced filling is enlarged and corrected by what it misses at the hole's edge.
    """
    factor = choose_factor(hole)
    if factor == 1:
        return fill_in_tiles(photo, hole, infer, multiple)
    height, width = (max(1, round(side / factor)) for side in hole.shape)
    known = resize((~hole).astype(np.float32), (height, width), cv2.INTER_AREA)
    total = resize(np.where(hole[..., None], np.float32(0), photo.astype(np.float32)), (height, width), cv2.INTER_AREA)
    small = np.clip(np.rint(total / np.maximum(known, 1e-3)[..., None]), 0, 255).astype(np.uint8)
    made = fill_in_tiles(small, known < WHOLE, infer, multiple)  # a rim is hidden too, to see what the filling misses
    return blend(photo, resize(made.astype(np.float32), hole.shape, cv2.INTER_CUBIC), hole, ceil(factor))


def fill_in_tiles(photo: Pixels, hole: Mask, infer: Infer, multiple: int) -> Pixels:
    """The photo with its hole filled piece by piece; each piece sees `CONTEXT` pixels around it, and earlier pieces."""
    filled, open_ = photo.copy(), hole.copy()
    for down in spans(hole.shape[0], TILE, CONTEXT):
        for across in spans(hole.shape[1], TILE, CONTEXT):
            kept = (down.placed(1), across.placed(1))
            if not hole[kept].any():
                continue
            seen = (slice(down.begin, down.end), slice(across.begin, across.end))
            made = fill_piece(filled[seen], open_[seen], infer, multiple)[down.kept(1), across.kept(1)]
            filled[kept] = np.where(hole[kept][..., None], made, filled[kept])
            open_[kept] = False
    return filled


def fill_piece(photo: Pixels, hole: Mask, infer: Infer, multiple: int) -> Pixels:
    """One call of the network; the sides are brought to multiples by mirroring, and what that adds is known."""
    height, width = hole.shape
    mask = mirror(hole, multiple).astype(np.float32)[None, None]
    planes = mirror(photo, multiple).transpose(2, 0, 1)[None] / np.float32(255)
    made = infer(planes * (1 - mask) + GREY * mask, mask)[0, :, :height, :width]
    return np.clip(np.rint(made.transpose(1, 2, 0) * 255), 0, 255).astype(np.uint8)
