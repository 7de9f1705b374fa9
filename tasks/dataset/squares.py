"""Images of any size and aspect ratio, turned into squares of one size."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from PIL import Image

from tasks.catalogue.table import Catalogue

Shape = tuple[int, int, int]


def square_maker(
    catalogue: Catalogue, shape: Shape, background: int, fit: str, pool: ThreadPoolExecutor
) -> Callable[[npt.NDArray[np.intp]], npt.NDArray[np.uint8]]:
    """The function from rows of `catalogue` to squares, uint8 (N, H, W, C) of `shape` (H, W, C).

    It works on all rows at once where the pixels are in memory, else image by image in `pool`.
    """
    size, _, channels = shape
    pixels = catalogue.pixels
    if pixels is not None and pixels.shape[1] <= size:
        if pixels.ndim == 3:
            return lambda rows: pad_square(np.repeat(pixels[rows][..., None], channels, axis=3), size, background)
        if channels == 3:
            return lambda rows: pad_square(pixels[rows], size, background)
    return lambda rows: np.stack(
        list(pool.map(lambda row: fit_square(catalogue.image(int(row)), shape, background, fit), rows))
    )


def fit_square(image: Image.Image, shape: Shape, background: int, fit: str = "pad") -> npt.NDArray[np.uint8]:
    """uint8 of a square `shape` (H, W, C): the image in its own aspect ratio, reduced if larger, on `background`.

    With `fit` "crop" this is done to the middle square of the image.
    """
    size, _, channels = shape
    image = image.convert("L" if channels == 1 else "RGB")
    if fit == "crop":
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    if max(image.size) > size:
        ratio = size / max(image.size)
        reduced = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
        image = image.resize(reduced, Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = np.asarray(image).reshape(1, image.height, image.width, channels)
    square: npt.NDArray[np.uint8] = pad_square(pixels, size, background)[0]
    return square


def pad_square(images: npt.NDArray[np.uint8], size: int, background: int) -> npt.NDArray[np.uint8]:
    """uint8 (N, size, size, C) from images (N, H, W, C) no larger than that, centred on `background`."""
    count, height, width, channels = images.shape
    top, left = (size - height) // 2, (size - width) // 2
    squares = np.full((count, size, size, channels), background, np.uint8)
    squares[:, top : top + height, left : left + width] = images
    return squares
