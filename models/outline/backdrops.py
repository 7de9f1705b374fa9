"""What products are pasted on: studio sweeps, materials, and photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from models.arrays import Pixels, Planes

Kind = Literal["white", "studio", "texture", "clutter"]
KINDS: tuple[Kind, ...] = ("white", "studio", "texture", "clutter")


def draw_backdrop(kind: Kind, side: int, photos: Sequence[Pixels], chance: np.random.Generator) -> Planes:
    """A backdrop of that kind, (side, side, 3) in [0, 1]; `photos` (H, W, 3) serve clutter, and some textures."""
    if kind == "white":
        return draw_sweep(side, np.full(3, chance.uniform(0.9, 1.0), np.float32), 0.06, chance)
    if kind == "studio":
        colour = chance.uniform(0.03, 0.95) + chance.uniform(-0.2, 0.2, 3) * chance.integers(0, 2)
        return draw_sweep(side, np.asarray(colour, np.float32), 0.3, chance)
    if kind == "clutter":
        return cut_photo(side, photos[int(chance.integers(len(photos)))], chance)
    draw = TEXTURES[int(chance.integers(len(TEXTURES)))]
    return np.asarray(np.clip(draw(side, chance), 0, 1), np.float32)


def ramp(side: int, chance: np.random.Generator) -> Planes:
    """A gradient of -0.5 to 0.5 in any direction, (side, side)."""
    angle = chance.uniform(0, 2 * np.pi)
    axis = np.linspace(-0.5, 0.5, side, dtype=np.float32)
    return np.asarray(np.cos(angle) * axis[None] + np.sin(angle) * axis[:, None], np.float32)


def draw_sweep(side: int, colour: Planes, strength: float, chance: np.random.Generator) -> Planes:
    """A studio's paper: its colour, uneven light, a darker corner or a floor's line, and a little grain."""
    light = 1 + strength * chance.uniform(-1, 1) * ramp(side, chance)
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    centre = chance.uniform(-0.5, 0.5, 2)
    light = light - strength * chance.uniform(0, 0.5) * (
        (axis[None] - centre[0]) ** 2 + (axis[:, None] - centre[1]) ** 2
    )
    if chance.random() < 0.3:
        edge = 1 / (1 + np.exp(-(axis - chance.uniform(0, 0.7)) * chance.uniform(4, 40)))
        light = light * (1 + strength * chance.uniform(-1, 0.6) * edge[:, None])
    sheet = np.asarray(colour, np.float32) * np.asarray(light, np.float32)[..., None]
    return np.asarray(np.clip(sheet, 0, 1), np.float32)


def cloud(side: int, coarse: tuple[int, int], chance: np.random.Generator) -> Planes:
    """Smooth noise of -1 to 1 with `coarse` (rows, columns) of features, (side, side)."""
    noise = chance.uniform(-1, 1, coarse).astype(np.float32)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def mix(weight: Planes, chance: np.random.Generator) -> Planes:
    """Two colours, the second where `weight` (side, side) is 1."""
    first = np.clip(chance.uniform(0.05, 0.95) + chance.uniform(-0.2, 0.2, 3), 0, 1).astype(np.float32)
    second = np.clip(first + chance.uniform(0.06, 0.5) * chance.choice([-1, 1]) + chance.uniform(-0.1, 0.1, 3), 0, 1)
    return np.asarray(first + np.clip(weight, 0, 1)[..., None] * (second - first), np.float32)


def draw_wood(side: int, chance: np.random.Generator) -> Planes:
    """Boards: long grain, and joints between them."""
    grain = sum(
        cloud(side, (int(chance.integers(20, 120)), int(chance.integers(2, 6))), chance) / 2**i for i in range(3)
    )
    weight = 0.5 + 0.4 * np.asarray(grain, np.float32)
    for row in np.arange(chance.uniform(0, 60), side, chance.uniform(30, 90)):
        weight[int(row) : int(row) + 2] += 0.8
    board = mix(weight, chance)
    return board if chance.random() < 0.5 else np.ascontiguousarray(board.transpose(1, 0, 2))


def draw_tiles(side: int, chance: np.random.Generator) -> Planes:
    """Tiles with joints, each a little different."""
    step, joint = int(chance.integers(14, 90)), int(chance.integers(1, 5))
    start = int(chance.integers(0, step))
    places = np.arange(side) + start
    lines = (places[:, None] % step < joint) | (places[None] % step < joint)
    tone = chance.uniform(-0.15, 0.15, (side // step + 3, side // step + 3))
    tiles = tone[places[:, None] // step, places[None] // step]
    return mix(lines.astype(np.float32), chance) + tiles[..., None].astype(np.float32)


def draw_stripes(side: int, chance: np.random.Generator) -> Planes:
    """Stripes or checks of a cloth."""
    turn, wave = ramp(side, chance), chance.uniform(10, 150)
    weight = 0.5 + chance.uniform(0.5, 3) * np.sin(turn * wave)
    if chance.random() < 0.5:
        weight = 0.5 * weight + 0.5 * (0.5 + np.sin(ramp(side, chance) * wave))
    return mix(weight, chance)


def draw_stone(side: int, chance: np.random.Generator) -> Planes:
    """Marble, concrete, carpet: noise of several sizes."""
    weight, scale = np.full((side, side), 0.5, np.float32), chance.uniform(0.4, 1.0)
    for size in (3, 6, 12, 30, 80, 160):
        weight += scale * chance.uniform(0, 0.5) * cloud(side, (size, size), chance)
    return mix(weight, chance)


TEXTURES = (draw_wood, draw_tiles, draw_stripes, draw_stone)


def cut_photo(side: int, photo: Pixels, chance: np.random.Generator) -> Planes:
    """A square part of a photograph, mirrored at random."""
    shorter = min(photo.shape[:2])
    size = int(shorter * chance.uniform(0.45, 1.0))
    top, left = (int(chance.integers(0, length - size + 1)) for length in photo.shape[:2])
    part = photo[top : top + size, left : left + size]
    if chance.random() < 0.5:
        part = part[:, ::-1]
    way = cv2.INTER_AREA if size > side else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(part), (side, side), interpolation=way)
    return np.asarray(resized, np.float32) / np.float32(255)
