"""How similar two photographs of one size are: peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from models.arrays import Array
from models.errors import InputError

# Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity", 2004.
WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03


def psnr(first: Array, second: Array, peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB of arrays of one shape; infinite where they are equal.

    Raises:
        InputError: the shapes differ.
    """
    _check_shapes(first, second)
    error = float(np.mean((first.astype(np.float64) - second.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def ssim(first: Array, second: Array, peak: float = 255.0) -> float:
    """Mean structural similarity of (H, W) or (H, W, C) arrays, over the windows that lie inside, 1 for equal ones.

    A picture smaller than a window is measured with its mirrored borders.

    Raises:
        InputError: the shapes differ.
    """
    similarity = ssim_map(first, second, peak)
    border = WINDOW // 2
    if min(similarity.shape[:2]) >= WINDOW:
        similarity = similarity[border:-border, border:-border]
    return float(similarity.mean())


def ssim_map(first: Array, second: Array, peak: float = 255.0) -> npt.NDArray[np.float64]:
    """Structural similarity around each pixel, of the arrays' shape, in -1..1; borders are mirrored.

    Source: Wang et al. 2004, equations 13 to 16: a Gaussian window of 11 pixels, sigma 1.5, K1 0.01, K2 0.03.

    Raises:
        InputError: the shapes differ.
    """
    _check_shapes(first, second)
    x, y = first.astype(np.float64), second.astype(np.float64)
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity: npt.NDArray[np.float64] = above / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    return similarity


def _blur(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    blurred = cv2.GaussianBlur(values, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float64).reshape(values.shape)


def _check_shapes(first: Array, second: Array) -> None:
    if first.shape != second.shape:
        raise InputError("picture", f"shape {second.shape}", f"the shape of the other, {first.shape}")
