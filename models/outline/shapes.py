"""Products that were never made: soft, ringed, thin and jagged shapes in any material, with exact outlines."""

from __future__ import annotations

import cv2
import numpy as np

from models.arrays import Pixels, Planes
from models.outline.backdrops import Kind, draw_backdrop

SIDE = 288
FINE = 4
"""Fractional bits of the corners that OpenCV draws."""


def draw_shape(chance: np.random.Generator) -> Pixels:
    """One product (SIDE, SIDE, 4): its parts' colours, and their alpha."""
    cover = np.zeros((SIDE, SIDE), np.uint8)
    colours = np.zeros((SIDE, SIDE, 3), np.float32)
    for part in range(int(chance.integers(1, 4))):
        kind: Kind = "studio" if chance.random() < 0.6 else "texture"
        added = draw_part(part, chance)
        colours += (added / np.float32(255))[..., None] * (draw_backdrop(kind, SIDE, (), chance) - colours)
        cover = np.maximum(cover, added)
    if chance.random() < 0.35:
        cover = np.minimum(cover, 255 - draw_part(1, chance))
    return np.dstack([np.rint(np.clip(light(colours, cover, chance), 0, 1) * 255).astype(np.uint8), cover])


def draw_part(part: int, chance: np.random.Generator) -> Pixels:
    """A part's cover (SIDE, SIDE): the first is large and central, the others smaller; one in four is a thin line."""
    cover = np.zeros((SIDE, SIDE), np.uint8)
    centre = SIDE / 2 + chance.uniform(-0.22, 0.22, 2) * SIDE * (part > 0)
    radii = chance.uniform(0.14, 0.46, 2) * SIDE / (1 + 0.8 * (part > 0))
    turns = np.linspace(0, 2 * np.pi, int(chance.choice([3, 4, 5, 6, 90, 90, 90])), endpoint=False)
    turns = turns + chance.uniform(0, 2 * np.pi)
    reach = np.ones_like(turns)
    for wave in range(2, 6):
        reach += chance.uniform(0, 0.5) / wave * np.cos(wave * turns + chance.uniform(0, 2 * np.pi))
    corners = centre + reach[:, None] * radii * np.stack([np.cos(turns), np.sin(turns)], 1)
    points = [np.rint(corners * 2**FINE).astype(np.int32)]
    if part and chance.random() < 0.5:
        cv2.polylines(cover, points, bool(chance.integers(2)), 255, int(chance.integers(2, 14)), cv2.LINE_AA, FINE)
    else:
        cv2.fillPoly(cover, points, 255, cv2.LINE_AA, FINE)
    return cover


def light(colours: Planes, cover: Pixels, chance: np.random.Generator) -> Planes:
    """Rounds the shape: lit from one side, dark or bright towards its edge."""
    depth = cv2.GaussianBlur(cover.astype(np.float32) / 255, (0, 0), float(chance.uniform(4, 30)))
    slope = np.stack(np.gradient(depth)) * SIDE / 8
    angle = chance.uniform(0, 2 * np.pi)
    side = np.cos(angle) * slope[0] + np.sin(angle) * slope[1]
    return np.asarray(colours * (1 + chance.uniform(0, 0.6) * np.clip(side, -1, 1))[..., None], np.float32)
