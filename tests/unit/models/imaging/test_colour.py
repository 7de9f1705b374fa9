"""Colour spaces against published values, and back again."""

import cv2
import numpy as np
import pytest

from models.imaging.colour import (
    delta_e_2000,
    lab_to_rgb,
    linear_to_srgb,
    luma,
    rgb_to_lab,
    rgb_to_ycbcr,
    srgb_to_linear,
    to_levels,
    ycbcr_to_rgb,
)

# Sharma, Wu and Dalal 2005, table 1: the pairs that other implementations got wrong, and some plain ones.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0011), 7.2195),
    ((50, -0.0010, 2.4900), (50, 0.0009, -2.4900), 4.8045),
    ((50, -0.0010, 2.4900), (50, 0.0011, -2.4900), 4.7461),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((61.2901, 3.7196, -5.3901), (61.4292, 2.2480, -4.9620), 1.8731),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((36.4612, 47.8580, 18.3852), (36.2715, 50.5065, 21.2231), 1.4146),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def every_colour(step=17):
    levels = np.arange(0, 256, step, dtype=np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)


def test_ciede2000_gives_the_published_differences_both_ways():
    first, second, expected = (np.array(column) for column in zip(*SHARMA, strict=True))
    np.testing.assert_allclose(delta_e_2000(first, second), expected, atol=1e-4)
    np.testing.assert_allclose(delta_e_2000(second, first), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.74, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((128, 128, 128), (53.59, 0, 0)),
    ],
)
def test_lab_of_known_colours(rgb, lab):
    np.testing.assert_allclose(rgb_to_lab(np.array([rgb], np.uint8))[0], lab, atol=0.02)


def test_lab_comes_back_to_the_same_levels():
    colours = every_colour()
    np.testing.assert_array_equal(to_levels(lab_to_rgb(rgb_to_lab(colours))), colours)
    assert rgb_to_lab(colours).dtype == np.float32


def test_colours_that_srgb_has_not_are_clipped():
    rgb = lab_to_rgb(np.array([[50.0, 200.0, 0.0], [120.0, 0.0, 0.0]], np.float32))
    assert rgb.min() >= 0
    assert rgb.max() <= 1


def test_linear_light_comes_back_and_levels_and_floats_agree():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_levels(linear_to_srgb(srgb_to_linear(levels))), levels)
    np.testing.assert_allclose(srgb_to_linear(levels), srgb_to_linear(levels.astype(np.float32) / 255))
    assert srgb_to_linear(np.array([128], np.uint8))[0] == pytest.approx(0.2158605, abs=1e-6)


def test_full_range_is_jpegs():
    colours = every_colour()
    jpeg = cv2.cvtColor(colours, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    assert np.abs(rgb_to_ycbcr(colours) * 255 - jpeg).max() < 1.3  # OpenCV rounds its coefficients
    np.testing.assert_array_equal(to_levels(ycbcr_to_rgb(rgb_to_ycbcr(colours))), colours)


def test_studio_range_has_its_corners():
    corners = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 0, 255]], np.uint8)
    expected = [[16, 128, 128], [235, 128, 128], [81.481, 90.203, 240], [40.966, 240, 109.786]]
    np.testing.assert_allclose(rgb_to_ycbcr(corners, studio=True), expected, atol=1e-2)
    np.testing.assert_allclose(luma(corners, studio=True), [row[0] for row in expected], atol=1e-2)
    np.testing.assert_array_equal(to_levels(ycbcr_to_rgb(rgb_to_ycbcr(corners, studio=True), studio=True)), corners)
