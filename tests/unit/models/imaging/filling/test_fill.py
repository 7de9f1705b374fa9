"""Holes filled by the methods that need no training."""

import numpy as np
import pytest

from models.errors import InputError
from models.imaging.filling.fill import CLASSICAL, fill_by, fit_decay
from models.imaging.inspection.similarity import psnr
from tests.holes import HEIGHT, WIDTH, hole, photo


@pytest.mark.parametrize("method", CLASSICAL)
def test_each_method_fills_a_slope_and_touches_nothing_else(method):
    pixels, mask = photo(), hole((40, 50, 60, 75), (0, 0, 9, 12))
    spoilt = np.where(mask[..., None], np.uint8(255), pixels)
    filled = fill_by(method, spoilt, mask)
    np.testing.assert_array_equal(filled[~mask], pixels[~mask])
    assert psnr(filled[mask], pixels[mask]) > 28


@pytest.mark.parametrize("method", CLASSICAL)
def test_what_the_hole_holds_does_not_show(method):
    mask = hole((40, 50, 60, 75))
    first, second = (np.where(mask[..., None], np.uint8(level), photo()) for level in (0, 255))
    np.testing.assert_array_equal(fill_by(method, first, mask), fill_by(method, second, mask))


@pytest.mark.parametrize("method", ["gp", "mrf"])
def test_methods_for_small_holes_refuse_large_ones(method):
    pixels = np.zeros((400, 400, 3), np.uint8)
    with pytest.raises(InputError, match=rf"^family: got '{method}', allowed: holes of at most .* has 200x30"):
        fill_by(method, pixels, hole((0, 0, 30, 200), height=400, width=400))


def test_patches_go_on_with_stripes_where_fronts_blur_them():
    across = np.arange(WIDTH)
    stripes = np.where(across // 4 % 2, 220, 40).astype(np.uint8)
    pixels = np.repeat(np.broadcast_to(stripes, (HEIGHT, WIDTH))[..., None], 3, 2).copy()
    mask = hole((45, 60, 75, 90))
    by_patches, by_fronts = (psnr(fill_by(name, pixels, mask)[mask], pixels[mask]) for name in ("mrf", "telea"))
    assert by_patches > by_fronts + 6


def test_the_covariances_decay_is_found_again():
    lags = np.arange(1, 9)
    length, share = fit_decay(0.8 * np.exp(-0.5 * (lags / 3.0) ** 2))
    assert length == pytest.approx(3.0, rel=0.15)
    assert share == pytest.approx(0.8, abs=0.06)
