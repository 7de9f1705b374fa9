"""Drawn pieces for super-resolution: the hard edges of print, labels and line drawings, which few photos have.

"Dead leaves" (Lee, Mumford & Huang 2001, Occlusion models for natural images) teach restoration nearly as much as
photos do (Achddou, Gousseau & Ladjal 2021, Synthetic images as a regularity prior); here with strokes and letters.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from models.arrays import Images

FINER = 3
"""Drawn this much larger, then shrunk, so that edges are as soft as a lens leaves them."""
RADII = (3.0, 90.0)
"""Pixels from a leaf's middle to its edge, each doubling of it as likely: things lie at all distances."""
SOFT = 3.0
"""Pixels of the larger drawing that edges are blurred by at most."""
LETTERS = "ABCDEFGHKLMNPRSTWXZabdefghkmnprstuwxyz023456789&%#"


def draw_pieces(count: int, side: int, seed: int = 0) -> Images:
    """`count` drawn pieces (N, side, side, 3), the same for the same seed."""
    random = np.random.default_rng(seed)
    return np.stack([draw_piece(side, random) for _ in range(count)])


def draw_piece(side: int, random: np.random.Generator) -> Images:
    """One piece (side, side, 3): leaves over each other, then perhaps strokes and letters."""
    canvas = Image.new("RGB", (side * FINER,) * 2, pick_colour(random))
    draw = ImageDraw.Draw(canvas)
    for _ in range(random.integers(5, 60)):
        draw_leaf(draw, side, random)
    for _ in range(random.integers(0, 5)):
        draw_stroke(draw, side, random)
    if random.random() < 0.3:
        draw_letters(draw, side, random)
    softened = canvas.filter(ImageFilter.GaussianBlur(random.uniform(0, SOFT)))
    return np.asarray(softened.resize((side, side), Image.Resampling.BOX))


def draw_leaf(draw: ImageDraw.ImageDraw, side: int, random: np.random.Generator) -> None:
    """A disc, or a polygon of three to six corners, in one colour; some have an outline."""
    middle, radius = random.uniform(0, side, 2), np.exp(random.uniform(*np.log(RADII)))
    corners = int(random.integers(3, 7)) if random.random() < 0.5 else 48
    angles = np.sort(random.uniform(0, 2 * np.pi, corners)) if corners < 48 else np.linspace(0, 2 * np.pi, corners)
    stretch = random.uniform(0.4, 1, 2)
    around = np.stack([np.cos(angles), np.sin(angles)], 1) * stretch * radius
    points = [tuple(point) for point in ((middle + around) * FINER).tolist()]
    outline = pick_colour(random) if random.random() < 0.3 else None
    draw.polygon(points, pick_colour(random), outline, width=int(random.integers(2, 5)) * FINER // 2)


def draw_stroke(draw: ImageDraw.ImageDraw, side: int, random: np.random.Generator) -> None:
    """A bent line across the piece, 1 to 8 pixels wide."""
    ends = random.uniform(-0.2, 1.2, (3, 2)) * side * FINER
    share = np.linspace(0, 1, 24)[:, None]
    curve = (1 - share) ** 2 * ends[0] + 2 * share * (1 - share) * ends[1] + share**2 * ends[2]
    width = int(random.uniform(1, 8) * FINER)
    draw.line([tuple(point) for point in curve.tolist()], pick_colour(random), width, joint="curve")


def draw_letters(draw: ImageDraw.ImageDraw, side: int, random: np.random.Generator) -> None:
    """A word of any letters, 8 to 40 pixels high."""
    font = ImageFont.load_default(float(random.uniform(8, 40)) * FINER)
    word = "".join(random.choice(list(LETTERS), int(random.integers(2, 9))))
    left, top = random.uniform(-0.2, 0.8, 2) * side * FINER
    draw.text((left, top), word, pick_colour(random), font)


def pick_colour(random: np.random.Generator) -> tuple[int, int, int]:
    """A colour of any brightness, more often dull than bright, as things are."""
    grey, tint = random.uniform(0, 255), random.normal(0, 30, 3)
    red, green, blue = np.clip(grey + tint, 0, 255).astype(int).tolist()
    return red, green, blue
