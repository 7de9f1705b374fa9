"""Texture grown from an example: a Markov random field whose pixels are copied from the best-fitting neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import cKDTree

from models.arrays import Indices, Pixels, Planes
from models.errors import InputError

RADIUS = 2
"""A pixel's neighbourhood is the square of 2 RADIUS + 1 pixels around it."""
FEATURES = 12
"""Principal components by which neighbourhoods are compared (Lefebvre & Hoppe 2005, section 4.5)."""
COARSEST = 32
"""Levels are added until the shorter side of the example is below twice this."""
COMPARED = 20_000
"""Largest example, in pixels, for whose pixels similar ones elsewhere in it are sought."""
STRANGERS = 1.3
"""How many times better a similar pixel must fit than a neighbour's continuation."""
PASSES = 3
OVERLAP = 4
TOLERATED = 1.2
"""How many times worse than the best continuation a block may be."""
SMALLEST = 2 * COARSEST
LARGEST_EXAMPLE = 1024
LARGEST = 2048


@dataclass(frozen=True)
class Level:
    """One scale of the example: `image` (H, W, C) and what is needed to find where a neighbourhood fits.

    `basis` (n, FEATURES) projects neighbourhoods; `features` (h, w, FEATURES) are those of the interior pixels, whose
    whole neighbourhood lies in the example; `similar` (h, w) is the flat interior place of the most similar other one.
    """

    image: Planes
    basis: Planes
    features: Planes
    similar: Indices


def grow_texture(example: Pixels, size: int, seed: int = 0) -> Pixels:
    """A texture (size, size, C) that looks like `example` (H, W, C) and repeats without a seam on all sides.

    Blocks are laid at the coarsest scale; then, from coarse to fine, each pixel's place in the example is corrected
    given its neighbours (Lefebvre & Hoppe 2005; the candidates are those of Ashikhmin 2001 and Tong et al. 2002).
    Indices wrap around, which makes it seamless.
    The same example, size and seed give the same bytes.

    Raises:
        InputError: the example, the size or the seed is out of bounds.
    """
    check_request(example, size, seed)
    generator = np.random.default_rng(seed)
    levels = build_levels(example, size)
    sides = [size]
    for _ in levels[1:]:
        sides.append(-(-sides[-1] // 2))
    places = lay_blocks(levels[-1], sides[-1], generator)
    for depth in reversed(range(len(levels))):
        if depth < len(levels) - 1:
            places = refine(places, sides[depth], levels[depth])
        for _ in range(PASSES):
            places = correct(places, levels[depth])
    return example[cut(example, len(levels))][places[..., 0] + RADIUS, places[..., 1] + RADIUS]


def check_request(example: Pixels, size: int, seed: int) -> None:
    """Raise an InputError that names what is out of bounds."""
    if example.ndim != 3 or example.shape[2] not in (1, 3):
        raise InputError("example shape", example.shape, "(height, width, 1 or 3)")
    if not SMALLEST <= min(example.shape[:2]) <= max(example.shape[:2]) <= LARGEST_EXAMPLE:
        allowed = f"{SMALLEST} to {LARGEST_EXAMPLE} pixels a side; cut or shrink it first"
        raise InputError("example size", f"{example.shape[1]}x{example.shape[0]}", allowed)
    if not SMALLEST <= size <= LARGEST:
        raise InputError("size", size, f"{SMALLEST} to {LARGEST} pixels")
    if not 0 <= seed < 2**31:
        raise InputError("seed", seed, f"0 to {2**31 - 1}")


def cut(example: Pixels, levels: int) -> tuple[slice, slice]:
    """The part of the example whose sides halve without remainder at every level."""
    height, width = (side // 2 ** (levels - 1) * 2 ** (levels - 1) for side in example.shape[:2])
    return slice(height), slice(width)


def build_levels(example: Pixels, size: int) -> list[Level]:
    """The example at its own scale, then at halves of it, down to about `COARSEST` pixels a side."""
    side = min(*example.shape[:2], 2 * size)
    count = max(1, int(np.log2(side / COARSEST)) + 1)
    image: Planes = example[cut(example, count)].astype(np.float32) / np.float32(255)
    levels = []
    for _ in range(count):
        levels.append(build_level(image))
        halved = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
        image = np.asarray(halved, np.float32).reshape(*halved.shape[:2], example.shape[2])
    return levels


def build_level(image: Planes) -> Level:
    """Neighbourhoods of every interior pixel, their principal components, and each one's most similar other."""
    span = 2 * RADIUS + 1
    windows = np.lib.stride_tricks.sliding_window_view(image, (span, span), (0, 1))  # (h, w, C, span, span)
    height, width = windows.shape[:2]
    flat = windows.transpose(0, 1, 3, 4, 2).reshape(height * width, -1)
    centred = flat - flat.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    basis = np.ascontiguousarray(vectors[:, : -FEATURES - 1 : -1], np.float32)
    features = flat @ basis
    similar = find_similar(features, width) if len(features) <= COMPARED else np.arange(len(features))
    return Level(image, basis, features.reshape(height, width, -1), similar.reshape(height, width))


def find_similar(features: Planes, width: int) -> Indices:
    """For each interior pixel (h w, FEATURES) the most similar one that is not in its own neighbourhood, flat."""
    _, found = cKDTree(features).query(features, k=12)
    here = np.arange(len(features))[:, None]
    apart = np.maximum(np.abs(found // width - here // width), np.abs(found % width - here % width)) > 2 * RADIUS
    first = np.where(apart.any(1), apart.argmax(1), 1)
    return np.asarray(found[here[:, 0], first])


def lay_blocks(level: Level, side: int, generator: np.random.Generator) -> Indices:
    """Interior places (side, side, 2): blocks of the example, each one of the best continuations of those laid before.

    Image quilting (Efros & Freeman 2001, section 2.1) on a torus; what their cut does, `correct` does afterwards.
    """
    inner = level.image[RADIUS:-RADIUS, RADIUS:-RADIUS]
    block = max(2 * OVERLAP, min(*inner.shape[:2], side) // 3)
    windows = np.lib.stride_tricks.sliding_window_view(inner, (block, block), (0, 1)).transpose(0, 1, 3, 4, 2)
    count = -(-side // (block - OVERLAP))
    corners = np.arange(count) * side // count
    places, known = np.zeros((side, side, 2), np.int64), np.zeros((side, side), bool)
    within = np.moveaxis(np.mgrid[:block, :block], 0, -1)
    for row in corners:
        for column in corners:
            area = np.ix_((row + np.arange(block)) % side, (column + np.arange(block)) % side)
            laid, there = known[area], places[area]
            difference = windows[:, :, laid] - inner[there[laid, 0], there[laid, 1]]
            costs = np.square(difference).sum((2, 3))
            good = np.argwhere(costs <= costs.min() * TOLERATED)
            places[area], known[area] = good[generator.integers(len(good))] + within, True
    return places


def clip_places(places: Indices, level: Level) -> Indices:
    """The nearest interior places."""
    return places.clip(0, np.array(level.features.shape[:2]) - 1)


def refine(places: Indices, side: int, level: Level) -> Indices:
    """Places of the next finer level, (side, side, 2): each pixel of the coarser one becomes four."""
    coarse = len(places)
    parent = np.arange(side) * coarse // side
    offset = np.arange(side) - -(-parent * side // coarse)
    # An interior place p is the pixel p + RADIUS; halves of pixels go to its children.
    fine = 2 * (places[parent][:, parent] + RADIUS) - RADIUS
    fine[..., 0] += offset[:, None]
    fine[..., 1] += offset
    return clip_places(fine, level)


def correct(places: Indices, level: Level) -> Indices:
    """Move each pixel to the place that fits its neighbours best, a ninth of the pixels at a time."""
    places, side = places.copy(), len(places)
    colours = level.image[places[..., 0] + RADIUS, places[..., 1] + RADIUS]
    step = RADIUS + 1
    for row in range(step):
        for column in range(step):
            rows, columns = (axis.ravel() for axis in np.mgrid[row:side:step, column:side:step])
            wanted = project(colours, rows, columns, level)
            found = find_best(wanted, places, rows, columns, level)
            places[rows, columns] = found
            colours[rows, columns] = level.image[found[:, 0] + RADIUS, found[:, 1] + RADIUS]
    return places


def project(colours: Planes, rows: Indices, columns: Indices, level: Level) -> Planes:
    """Features (n, FEATURES) of the neighbourhoods around pixels of the texture, which wraps around."""
    side, steps = len(colours), np.arange(-RADIUS, RADIUS + 1)
    down = (rows[:, None] + steps) % side
    right = (columns[:, None] + steps) % side
    around = colours[down[:, :, None], right[:, None, :]]
    return np.asarray(around.reshape(len(rows), -1) @ level.basis)


def find_best(wanted: Planes, places: Indices, rows: Indices, columns: Indices, level: Level) -> Indices:
    """The best (n, 2) of what continues each of the nine neighbours' own surroundings, and of what is similar to it."""
    side, width = len(places), level.features.shape[1]
    best, cost = np.zeros((len(rows), 2), np.int64), np.full(len(rows), np.inf, np.float32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            near = places[(rows + down) % side, (columns + right) % side] - (down, right)
            near = clip_places(near, level)
            flat = level.similar[near[:, 0], near[:, 1]]
            for candidate, price in ((near, 1.0), (np.stack(np.divmod(flat, width), -1), STRANGERS)):
                difference = level.features[candidate[:, 0], candidate[:, 1]] - wanted
                found = price * np.einsum("nf,nf->n", difference, difference)
                better = found < cost
                best[better], cost[better] = candidate[better], found[better]
    return best
