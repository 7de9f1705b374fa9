"""How much of the frame a product takes, and how white what is around it is."""

import numpy as np
import pytest

from models.imaging.inspection.product import LEAST_MARGIN, measure_area, measure_extent, measure_white


def mask(box, height=100, width=200):
    left, top, right, bottom = box
    matte = np.zeros((height, width), np.float32)
    matte[top:bottom, left:right] = 1
    return matte


@pytest.mark.parametrize(
    ("box", "extent"),
    [((0, 40, 200, 50), 1.0), ((50, 10, 100, 90), 0.8), ((0, 0, 100, 50), 0.5), ((9, 9, 10, 10), 0.01)],
)
def test_the_longest_side_is_held_against_its_own_side_of_the_frame(box, extent):
    assert measure_extent(mask(box), box) == pytest.approx(extent)


def test_soft_pixels_cover_in_part():
    matte = mask((0, 0, 100, 100))
    matte[:, :50] = 0.5
    assert measure_area(matte) == pytest.approx(0.375)


def test_white_is_exact_and_counted_beyond_the_margin():
    box = (80, 40, 120, 60)
    pixels = np.full((100, 200, 3), 255, np.uint8)
    pixels[30:70, 70:130] = 200  # the product and a shadow around it
    reach = LEAST_MARGIN
    background = 100 * 200 - (20 + 2 * reach) * (40 + 2 * reach)
    shadow = 40 * 60 - (20 + 2 * reach) * (40 + 2 * reach)
    assert measure_white(pixels, mask(box)) == pytest.approx(1 - shadow / background)
    assert measure_white(np.full((100, 200, 3), 254, np.uint8), mask(box)) == 0


def test_one_channel_below_white_is_not_white():
    pixels = np.full((100, 200, 3), 255, np.uint8)
    pixels[:50, :, 2] = 254
    assert measure_white(pixels, np.zeros((100, 200), np.float32)) == pytest.approx(0.5)


def test_without_any_background_there_is_nothing_to_be_white():
    assert measure_white(np.full((100, 200, 3), 255, np.uint8), np.ones((100, 200), np.float32)) is None
