"""PSNR and SSIM against their definitions."""

import numpy as np
import pytest

from models.errors import InputError
from models.imaging.inspection.similarity import psnr, ssim, ssim_map


def noisy_pair(*shape):
    random = np.random.default_rng(0)
    smooth = np.cumsum(random.normal(0, 1, shape), axis=1) * 2 + 128
    return smooth.astype(np.uint8), np.clip(smooth + random.normal(0, 5, shape), 0, 255).astype(np.uint8)


def test_psnr_of_a_known_error():
    grey = np.full((5, 7), 100, np.uint8)
    assert psnr(grey, grey + 10) == pytest.approx(20 * np.log10(255 / 10))
    assert psnr(grey + 10, grey) == psnr(grey, grey + 10)
    assert psnr(grey / 255, (grey + 10) / 255, peak=1.0) == pytest.approx(psnr(grey, grey + 10))
    assert psnr(grey, grey) == float("inf")


@pytest.mark.parametrize(("row", "column"), [(5, 5), (20, 31), (34, 47)])
def test_ssim_is_equation_13_over_a_gaussian_window(row, column):
    first, second = noisy_pair(40, 53)
    across, down = np.meshgrid(np.arange(-5, 6), np.arange(-5, 6))
    weights = np.exp(-(across**2 + down**2) / (2 * 1.5**2))
    weights /= weights.sum()
    x, y = (one[row - 5 : row + 6, column - 5 : column + 6].astype(np.float64) for one in (first, second))
    mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
    var_x, var_y = (weights * (x - mean_x) ** 2).sum(), (weights * (y - mean_y) ** 2).sum()
    covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    expected /= (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    assert ssim_map(first, second)[row, column] == pytest.approx(expected, abs=1e-9)
    assert expected < 0.99


def test_the_mean_leaves_windows_out_that_cross_the_border():
    first, second = noisy_pair(40, 53, 3)
    inner = ssim_map(first, second)[5:-5, 5:-5]
    assert ssim(first, second) == pytest.approx(inner.mean())
    assert np.mean([ssim(first[..., c], second[..., c]) for c in range(3)]) == pytest.approx(inner.mean())


def test_ssim_bounds():
    first, second = noisy_pair(32, 32)
    assert ssim(first, first) == 1
    assert ssim(first, second) == ssim(second, first) < 1
    assert ssim_map(first, 255 - first).mean() < 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (3, 3, 3)])
def test_tiny_pictures_are_measured(shape):
    grey = np.full(shape, 100, np.uint8)
    assert ssim(grey, grey) == 1
    assert ssim(grey, grey + 80) < 0.9


def test_other_shapes_are_refused():
    for measure in (psnr, ssim, ssim_map):
        with pytest.raises(InputError, match=r"shape \(4, 5\).*\(5, 4\)"):
            measure(np.zeros((5, 4)), np.zeros((4, 5)))
