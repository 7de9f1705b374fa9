"""Text laid over a photograph, such as watermarks, prices and slogans: rows of small marks of one stroke width."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from models.arrays import Mask, Pixels, Regions, Values

SIDES = (1000, 400)  # the longest sides that are looked at, for small letters and for large ones
WIDEST_STROKE = 21
FAINTEST = 10  # levels of grey between a letter and what is around it
HEIGHTS = (9, 110)
LETTERS = 5  # fewer in a row may be buttons, screws or vents
UNLIKE = 0.45  # the letters' strokes and contrasts, and the line's height, may vary by this part of their mean
ALIKE = 0.08  # widths that vary by less are a grille's or a fringe's: letters have different ones
PLAIN = 4.0  # letters stand out this many times more than what lies between them varies
CLUTTER = 0.4  # marks around a line that are not its letters, as a part of its letters: a carpet has more
INSIDE = 0.3  # a line with more of itself on the product is taken for the product's own print


class Box(NamedTuple):
    """Corners in pixels; `right` and `bottom` are the first outside."""

    left: int
    top: int
    right: int
    bottom: int


def find_text(pixels: Pixels, product: Mask) -> list[Box]:
    """Boxes of the lines of text over the background of a picture, uint8 (H, W, 3) in RGB.

    `product`, bool (H, W), is True on the product. Seen: upright lines of at least `LETTERS` separate letters, opaque
    or faint, over a plain or smooth background; most of those up to 5 % of the side tall, few larger. Not seen: text on
    the product (it cannot be told from the product's own print), script whose letters join, slanted lines, logos
    without text, and text over a busy background.
    """
    found: list[Box] = []
    for side in SIDES:
        if side == SIDES[0] or max(product.shape) > side:
            for box in _find(pixels, product, side):
                if not any(_meet(box, other) for other in found):
                    found.append(box)
    return found


def _meet(one: Box, other: Box) -> bool:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    return across > 0 and down > 0


def _find(pixels: Pixels, product: Mask, side: int) -> list[Box]:
    """The lines in a copy of the picture with sides of at most `side`; boxes in the picture's own pixels."""
    scale = min(1.0, side / max(product.shape))
    size = (max(1, round(product.shape[1] * scale)), max(1, round(product.shape[0] * scale)))
    grey = np.asarray(
        cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA), np.uint8
    )
    covered = np.asarray(cv2.resize(product.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST), np.uint8)
    body, lines = _body(covered), []
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (WIDEST_STROKE, WIDEST_STROKE))
    for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        contrast = np.asarray(cv2.morphologyEx(grey, kind, kernel), np.uint8)
        lines += [box for box in _lines(contrast, grey) if _share(body, box) <= INSIDE]
    return [Box(*(round(edge / scale) for edge in box)) for box in lines]


def _body(product: npt.NDArray[np.uint8]) -> Mask:
    """The product without specks: letters over the background are no background either."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(product)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = 1 + np.flatnonzero(areas >= 0.05 * areas.max(initial=0))
    return np.isin(labels, large)


def _share(body: Mask, box: Box) -> float:
    return float(body[box.top : box.bottom, box.left : box.right].mean())


def _lines(contrast: Pixels, grey: Pixels) -> list[Box]:
    letters, labels = _letters(contrast)
    found = []
    for row in _rows(letters):
        if len(row) >= LETTERS:
            box = _hull(letters[row])
            if _is_even(letters[row]) and _stands_out(letters[row], box, labels, grey):
                found.append(box)
    return found


def _letters(contrast: Pixels) -> tuple[Values, Regions]:
    """Marks of a letter's size, float64 (N, 6): left, top, right, bottom, contrast, stroke width; and their labels."""
    marks = (contrast >= FAINTEST).astype(np.uint8)
    # A letter that is far fainter than its neighbourhood's strongest mark is compression's ringing around it.
    marks &= contrast >= cv2.dilate(contrast, np.ones((9, 9), np.uint8)) // 2
    _, labels, stats, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
    width, height, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    fits = (height >= HEIGHTS[0]) & (height <= HEIGHTS[1]) & (width <= 2 * height) & (area >= 0.12 * width * height)
    fits[0] = False
    numbers = np.flatnonzero(fits)
    left, top = stats[numbers, cv2.CC_STAT_LEFT], stats[numbers, cv2.CC_STAT_TOP]
    sums = np.bincount(labels.ravel(), contrast.ravel(), len(stats))[numbers]
    edge = np.bincount(labels.ravel(), (cv2.erode(marks, np.ones((3, 3), np.uint8)) == 0).ravel(), len(stats))[numbers]
    # A stroke of width w and length l has area w l and about 2 l pixels of edge.
    stroke = 2 * area[numbers] / np.maximum(edge, 1)
    columns = (left, top, left + width[numbers], top + height[numbers], sums / area[numbers], stroke)
    return np.stack(columns, axis=1).astype(np.float64), labels.astype(np.int32)


def _rows(letters: Values) -> list[list[int]]:
    """Chains of marks from left to right, each on the line of the one before it and near to it."""
    rows: list[list[int]] = []
    for number in np.argsort(letters[:, 0], kind="stable"):
        for row in rows:
            if _follows(letters[row[-1]], letters[number]):
                row.append(int(number))
                break
        else:
            rows.append([int(number)])
    return rows


def _follows(one: Values, other: Values) -> bool:
    tall, short = max(one[3] - one[1], other[3] - other[1]), min(one[3] - one[1], other[3] - other[1])
    overlap = min(one[3], other[3]) - max(one[1], other[1])
    gap = other[0] - one[2]
    return bool(overlap >= 0.7 * short and tall <= 2 * short and -0.2 * tall <= gap <= 1.2 * tall)


def _hull(letters: Values) -> Box:
    low, high = letters[:, :2].min(axis=0), letters[:, 2:4].max(axis=0)
    return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _is_even(letters: Values) -> bool:
    """True for a row whose marks have about one height, contrast and stroke, but not all one width."""
    heights, widths = letters[:, 3] - letters[:, 1], letters[:, 2] - letters[:, 0]
    even = (values.std() <= UNLIKE * values.mean() for values in (letters[:, 4], letters[:, 5], heights))
    thin = letters[:, 5].mean() <= 0.4 * heights.mean()
    return bool(thin and all(even) and widths.std() >= ALIKE * widths.mean())


def _stands_out(letters: Values, box: Box, labels: Regions, grey: Pixels) -> bool:
    """True where the surroundings of a row are plainer than its letters, and hold few other marks."""
    air = (box.bottom - box.top) // 2
    around = (slice(max(0, box.top - air), box.bottom + air), slice(max(0, box.left - air), box.right + air))
    marks = labels[around] > 0
    own = marks[box.top - around[0].start :, box.left - around[1].start :][: box.bottom - box.top]
    count = own[:, : box.right - box.left].sum()
    between = grey[around][cv2.dilate(marks.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0]
    if len(between) < len(letters) or marks.sum() - count > CLUTTER * count:
        return False
    return bool(letters[:, 4].mean() >= PLAIN * max(between.std(), 1.0))
