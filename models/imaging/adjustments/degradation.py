"""Degradations, for privacy and for training pairs: blur, JPEG, grey, fewer pixels, noise, mosaic.

Each takes and gives uint8 (H, W, 3) in RGB, gives the same bytes for the same arguments, and changes nothing in place.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from models.arrays import Mask, Pixels
from models.imaging.colour import luma, to_levels

Corners = tuple[int, int, int, int]


def blur(pixels: Pixels, sigma: float) -> Pixels:
    """Gaussian blur of `sigma` pixels, reflected at the border; 0 leaves the picture as it is."""
    if sigma <= 0:
        return pixels.copy()
    # The kernel reaches 4 sigma; a reflection cannot reach farther than the picture.
    radius = max(1, int(np.ceil(4 * sigma)))
    weights = cv2.getGaussianKernel(2 * radius + 1, sigma, cv2.CV_32F)
    source = pixels.astype(np.float32)
    padded = np.pad(source, ((radius, radius), (radius, radius), (0, 0)), mode="symmetric")
    blurred = cv2.sepFilter2D(padded, -1, weights, weights)[radius:-radius, radius:-radius]
    return to_levels(blurred / 255)


def compress_jpeg(pixels: Pixels, quality: int) -> Pixels:
    """What is left after JPEG at `quality` 1 to 100, chroma at half size up to quality 90 (Pillow's encoder)."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling="4:2:0" if quality <= 90 else "4:4:4")
    stream.seek(0)
    with Image.open(stream) as image:
        return np.array(image.convert("RGB"))


def to_grayscale(pixels: Pixels) -> Pixels:
    """The BT.601 luma in all three channels, rounded."""
    return np.repeat(to_levels(luma(pixels))[..., None], 3, axis=2)


def downscale(pixels: Pixels, factor: float) -> Pixels:
    """`factor` times smaller sides, rounded, at least 1: Pillow's bicubic (a = -0.5) with antialiasing.

    It is the kernel of the super-resolution protocol, when both sides are multiples of `factor`.
    """
    height, width = pixels.shape[:2]
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def add_noise(pixels: Pixels, sigma: float, generator: np.random.Generator) -> Pixels:
    """Gaussian noise of `sigma` grey levels, drawn for each value by itself; rounded and clipped to 0..255."""
    noise = generator.standard_normal(pixels.shape, np.float32)
    return np.clip(np.rint(pixels + np.float32(sigma) * noise), 0, 255).astype(np.uint8)


def pixelate(pixels: Pixels, cell: int) -> Pixels:
    """Squares of `cell` pixels, from the top left, each of its mean colour."""
    height, width = pixels.shape[:2]
    rows, columns = np.arange(0, height, cell), np.arange(0, width, cell)
    sums = np.add.reduceat(np.add.reduceat(pixels.astype(np.float64), rows, axis=0), columns, axis=1)
    heights, widths = np.diff([*rows, height]), np.diff([*columns, width])
    means = np.rint(sums / (heights[:, None] * widths)[..., None]).astype(np.uint8)
    return np.repeat(np.repeat(means, heights, axis=0), widths, axis=1)


def find_pieces(inside: Mask) -> list[tuple[Corners, Mask]]:
    """The connected pieces of a mask (H, W): left, top, right, bottom of each, and the piece (h, w) in that box."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    pieces = []
    for piece in range(1, count):
        left, top, width, height = (int(value) for value in facts[piece, :4])
        box = (left, top, left + width, top + height)
        pieces.append((box, np.asarray(labels[top : top + height, left : left + width] == piece)))
    return pieces
