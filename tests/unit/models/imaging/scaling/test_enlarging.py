"""A colour photograph enlarged by a network for luma, whole or in tiles."""

import numpy as np
import pytest

from models.imaging.colour import rgb_to_ycbcr
from models.imaging.scaling.enlarging import enlarge
from models.imaging.scaling.resampling import resize


def double(plane, scale=2):
    """Bicubic enlargement of luma."""
    return resize(plane, *(side * scale for side in plane.shape))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_colours_are_enlarged_alike_in_tiles_and_at_once(scale):
    pixels = np.random.default_rng(scale).integers(0, 256, (23, 31, 3), dtype=np.uint8)

    def luma(plane):
        return double(plane, scale)

    whole, tiled = (enlarge(pixels, scale, luma, reach=3, tile=tile).astype(int) for tile in (1024, 8 * scale))
    assert whole.shape == (23 * scale, 31 * scale, 3)
    assert np.abs(whole - tiled).max() <= 1


def test_a_grey_picture_stays_grey_and_a_flat_one_flat():
    grey = np.repeat(np.random.default_rng(0).integers(0, 256, (9, 9, 1), dtype=np.uint8), 3, axis=2)
    large = enlarge(grey, 2, double, reach=3)
    assert np.ptp(large.astype(int), axis=2).max() <= 1
    flat = np.full((5, 4, 3), (10, 200, 90), np.uint8)
    assert (enlarge(flat, 3, lambda plane: double(plane, 3), reach=3) == flat[0, 0]).all()


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_luma_is_what_was_asked_and_colours_are_bicubics(scale):
    pixels = 96 + np.random.default_rng(scale).integers(0, 64, (14, 17, 3), dtype=np.uint8)
    made = rgb_to_ycbcr(enlarge(pixels, scale, lambda plane: double(plane, scale) + np.float32(0.1), reach=3)) * 255
    small = rgb_to_ycbcr(pixels) * 255
    inner = slice(2 * scale, -2 * scale)
    wanted = [double(small[..., channel], scale)[inner, inner] for channel in range(3)]
    assert np.abs(made[inner, inner, 0] - (wanted[0] + 25.5)).max() < 1
    for channel in (1, 2):  # OpenCV's cubic, whose parameter is -0.75, and Pillow's of -0.5 differ by a few levels
        assert np.abs(made[inner, inner, channel] - wanted[channel]).mean() < 1.5


@pytest.mark.parametrize(("height", "width", "calls"), [(8, 8, 1), (32, 2, 1), (2, 33, 5), (9, 8, 2)])
def test_a_photo_of_no_more_pixels_than_a_tile_is_enlarged_in_one_call(height, width, calls):
    seen = []

    def luma(plane):
        seen.append(plane.shape)
        return double(plane)

    large = enlarge(np.zeros((height, width, 3), np.uint8), 2, luma, reach=3, tile=16)
    assert large.shape == (2 * height, 2 * width, 3)
    assert len(seen) == calls
