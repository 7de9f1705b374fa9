"""Grey pixels, and their statistics: mean, spread and sharpness."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image


class PixelStatistics(NamedTuple):
    """One value per image, float64 (N,): `mean` and `std` on 0..255, `sharpness` the variance of the Laplacian."""

    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    sharpness: npt.NDArray[np.float64]


def measure_pixels(images: Iterable[npt.NDArray[np.uint8]]) -> PixelStatistics:
    """Statistics of grey `images`, each uint8 (H, W); a low sharpness means a blurred or flat image."""
    rows = np.array([_measure(image) for image in images], np.float64).reshape(-1, 3)
    return PixelStatistics(*rows.T)


def _measure(image: npt.NDArray[np.uint8]) -> tuple[float, float, float]:
    # OpenCV's sums need no float copy of the pixels, which for a large photograph would be ten times its size.
    mean, std = cv2.meanStdDev(image)
    _, edges = cv2.meanStdDev(cv2.Laplacian(image, cv2.CV_16S))
    return float(mean[0, 0]), float(std[0, 0]), float(edges[0, 0]) ** 2


def grey_stack(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Grey copies, uint8 (N, H, W), of colour images (N, H, W, 3), as Pillow converts them; grey ones as they are."""
    if images.ndim == 3:
        return images
    grey = np.empty(images.shape[:3], np.uint8)
    for number, image in enumerate(images):
        grey[number] = np.asarray(Image.fromarray(image).convert("L"))
    return grey
