"""Photographs made of products with a known outline: pasted, lit, shadowed, blurred and compressed."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from models.arrays import Pixels, Planes
from models.outline.backdrops import Kind, draw_backdrop

SOFTEST = 0.02


def compose(
    products: Sequence[Pixels], photos: Sequence[Pixels], kind: Kind, side: int, chance: np.random.Generator
) -> tuple[Pixels, Planes]:
    """A photo (side, side, 3) of one to three of `products` (H, W, 4), and its alpha (side, side) in [0, 1]."""
    picture = draw_backdrop(kind, side, photos, chance)
    alpha = np.zeros((side, side), np.float32)
    count = int(chance.choice([1, 2, 3], p=[0.86, 0.1, 0.04]))
    toned = picture.mean(axis=(0, 1)) if chance.random() < 0.12 else None
    for _ in range(count):
        product = vary(products[int(chance.integers(len(products)))], chance)
        share = chance.uniform(0.35, 0.95) / (1 if count == 1 else 1.6)
        colours, cover = lay(product, side, share, chance)
        if toned is not None:
            colours = colours + 0.8 * (toned - colours[cover > 0.5].mean(axis=0)) if (cover > 0.5).any() else colours
        picture = shade(picture, cover, chance)
        picture = np.clip(picture + cover[..., None] * (colours - picture), 0, 1)
        alpha = np.maximum(alpha, cover)
    return expose(np.asarray(picture, np.float32), chance), alpha


def vary(product: Pixels, chance: np.random.Generator) -> Planes:
    """The product in [0, 1], in other colours now and then; white and black ones among them."""
    made = product.astype(np.float32) / np.float32(255)
    colours = made[..., :3]
    if chance.random() < 0.25:
        colours = colours[..., chance.permutation(3)]
    if chance.random() < 0.15:
        colours = np.repeat(colours.mean(axis=2, keepdims=True), 3, axis=2)
    if chance.random() < 0.4:
        colours = np.clip(colours, 1e-3, 1) ** chance.uniform(0.3, 2.5)
    made[..., :3] = np.clip(colours * chance.uniform(0.85, 1.15, 3), 0, 1)
    return made[:, ::-1] if chance.random() < 0.5 else made


def lay(product: Planes, side: int, share: float, chance: np.random.Generator) -> tuple[Planes, Planes]:
    """Colours (side, side, 3) and cover (side, side): turned, its longer side `share` of the picture's.

    One in eight leaves the frame.
    """
    height, width = product.shape[:2]
    scale = share * side / max(height, width)
    angle = chance.normal(0, 8) if chance.random() < 0.7 else chance.uniform(-180, 180)
    loose = 0.5 * side * (1 - 0.9 * share) if chance.random() > 0.12 else 0.45 * side
    centre = side / 2 + np.clip(chance.normal(0, 0.5, 2), -1, 1) * loose
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    turn[:, 2] += centre - np.array([width / 2, height / 2])
    product = np.dstack([product[..., :3] * product[..., 3:], product[..., 3]])
    if scale < 0.6:
        smaller = cv2.resize(product, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA)
        small = np.asarray(smaller, np.float32)
        turn[:, :2] *= np.array([width / small.shape[1], height / small.shape[0]])
        product = small
    laid = cv2.warpAffine(product, turn, (side, side), flags=cv2.INTER_LINEAR)
    cover = np.clip(laid[..., 3], 0, 1)
    colours = laid[..., :3] / np.maximum(cover, SOFTEST)[..., None]
    return np.asarray(colours, np.float32), np.asarray(cover, np.float32)


def shade(picture: Planes, cover: Planes, chance: np.random.Generator) -> Planes:
    """A cast shadow, and on some sets a reflection, under the product."""
    side = len(cover)
    if chance.random() < 0.75:
        shift = chance.uniform(-0.08, 0.08), chance.uniform(-0.01, 0.08)
        flat = chance.uniform(0.2, 1.0) if chance.random() < 0.5 else 1.0
        rows = np.flatnonzero(cover.max(axis=1) > 0.5)
        foot = float(rows[-1]) if len(rows) else side - 1.0
        move = np.array([[1, 0, shift[0] * side], [0, flat, foot * (1 - flat) + shift[1] * side]], np.float32)
        cast = cv2.warpAffine(cover, move, (side, side))
        cast = cv2.GaussianBlur(cast, (0, 0), float(chance.uniform(0.006, 0.05)) * side)
        picture = picture * (1 - chance.uniform(0.1, 0.7) * cast[..., None])
    return np.asarray(picture, np.float32)


def expose(picture: Planes, chance: np.random.Generator) -> Pixels:
    """What a camera and a shop's software add: cast, light, blur, noise and JPEG."""
    if chance.random() < 0.4:
        picture = picture * chance.uniform(0.85, 1.1, 3).astype(np.float32)
    if chance.random() < 0.3:
        picture = np.clip(picture, 0, 1) ** np.float32(chance.uniform(0.7, 1.5))
    if chance.random() < 0.3:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(chance.uniform(0.3, 1.2))), np.float32)
    if chance.random() < 0.5:
        picture = picture + chance.normal(0, chance.uniform(0.002, 0.03), picture.shape).astype(np.float32)
    made = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if chance.random() < 0.5:
        _, coded = cv2.imencode(".jpg", made[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(45, 96))])
        made = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(made)
