"""A style picture of our own, that anyone may use: glass tiles in mortar; `python -m bench.draw_style`.

The paintings that style transfer is shown with elsewhere are not free to learn shipped weights from.
"""

from __future__ import annotations

import colorsys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from models.arrays import Pixels

PATH = Path(__file__).resolve().parent.parent / "docs" / "images" / "styles" / "tiles.jpg"
SIDE = 640
TILE = 26
"""Pixels from tile to tile, about."""
MORTAR = 2.4
HUES = (0.56, 0.60, 0.08, 0.12, 0.98, 0.45)
"""Two blues, ochre, yellow, red and green, as shares of the colour circle."""


def main() -> None:
    """Write the picture."""
    PATH.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw()).save(PATH, quality=90)
    print(PATH)


def draw(seed: int = 0) -> Pixels:
    """Tiles laid along waves, their hues by bands, each shaded on its own; uint8 (640, 640, 3)."""
    generator = np.random.default_rng(seed)
    centres = lay_tiles(generator)
    seeds = np.full((SIDE, SIDE), 255, np.uint8)
    seeds[centres[:, 1], centres[:, 0]] = 0
    _, label = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    tile = label[centres[:, 1], centres[:, 0]]
    colours = np.zeros((label.max() + 1, 3), np.float32)
    for (across, down), number in zip(centres, tile, strict=True):
        band = np.sin(across / 70) * 60 + down
        hue = HUES[int(band // 80) % len(HUES)] + generator.normal(0, 0.012)
        value = np.clip(generator.normal(0.72, 0.16), 0.25, 1)
        colours[number] = colorsys.hsv_to_rgb(hue % 1, float(np.clip(generator.normal(0.7, 0.12), 0, 1)), float(value))
    borders = np.zeros((SIDE, SIDE), bool)
    borders[:, 1:] |= label[:, 1:] != label[:, :-1]
    borders[1:] |= label[1:] != label[:-1]
    inside = cv2.distanceTransform((~borders).astype(np.uint8), cv2.DIST_L2, 5)
    shade = np.clip(0.72 + inside / TILE, 0, 1.15)[..., None] * (1 + generator.normal(0, 0.04, (SIDE, SIDE, 1)))
    share = np.clip(inside - MORTAR + 1, 0, 1)[..., None]
    picture = colours[label] * shade * share + np.array((0.16, 0.14, 0.13)) * (1 - share)
    levels: npt.NDArray[np.uint8] = np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
    return levels


def lay_tiles(generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Centres (x, y) of the tiles: rows that bend, with a little disorder."""
    rows, columns = np.mgrid[-TILE : SIDE + TILE : TILE, -TILE : SIDE + TILE : TILE]
    across = columns + (rows // TILE % 2) * TILE / 2 + generator.normal(0, 2.5, rows.shape)
    down = rows + 14 * np.sin(columns / 60) + generator.normal(0, 2.5, rows.shape)
    centres = np.stack((across.ravel(), down.ravel()), 1).round().astype(np.int64)
    kept: npt.NDArray[np.int64] = centres[((centres >= 0) & (centres < SIDE)).all(1)]
    return np.unique(kept, axis=0)


if __name__ == "__main__":
    main()
