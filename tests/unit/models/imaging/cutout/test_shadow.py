"""What a mask may lose as the product's shadow, and what it may not."""

import cv2
import numpy as np
import pytest

from models.imaging.cutout.shadow import find_shade, peel_shadow, spread_backdrop

SIDE = 240
BACKDROP = np.array([235, 228, 220], np.float32)


def scene(colour, dark=0.45):
    """A disc on a backdrop, its shadow to the right below; the picture, the disc, and both together."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    product = (rows - 120) ** 2 + (columns - 110) ** 2 < 60**2
    shadow = ((rows - 172) / 14) ** 2 + ((columns - 150) / 50) ** 2 < 1
    light = 1 - dark * cv2.GaussianBlur(shadow.astype(np.float32), (0, 0), 3)
    pixels = np.where(product[..., None], np.float32(colour), BACKDROP * light[..., None])
    noise = np.random.default_rng(0).normal(0, 0.7, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8), product, product | shadow


def test_the_shadow_of_a_black_product_is_taken_off_its_mask():
    pixels, product, both = scene((22, 21, 24))
    left = peel_shadow(both, pixels)
    assert (left & ~product).sum() < 0.15 * (both & ~product).sum()
    assert (left & product).sum() > 0.98 * product.sum()


@pytest.mark.parametrize("colour", [(150, 146, 140), (230, 228, 226), (160, 40, 50)])
def test_what_is_no_black_product_keeps_its_mask(colour):
    pixels, _, both = scene(colour)
    assert np.array_equal(peel_shadow(both, pixels), both)


def test_a_grey_part_high_up_on_a_black_product_stays():
    pixels, product, both = scene((22, 21, 24))
    pixels[70:90, 80:140][product[70:90, 80:140]] = (150, 146, 140)
    assert (peel_shadow(both, pixels) & product).sum() > 0.98 * product.sum()


@pytest.mark.parametrize("mask", [np.zeros((SIDE, SIDE), bool), np.ones((SIDE, SIDE), bool)])
def test_an_empty_mask_and_a_full_one_stay(mask):
    assert np.array_equal(peel_shadow(mask, scene((22, 21, 24))[0]), mask)


def test_a_patterned_background_casts_no_shadow_that_could_be_told():
    pixels, _, both = scene((22, 21, 24))
    stripes = pixels.copy()
    stripes[~both & (np.arange(SIDE) // 4 % 2 == 0)] //= 2
    assert np.array_equal(peel_shadow(both, stripes), both)


def test_shade_is_the_backdrop_darkened_and_no_other_colour():
    colours = np.full((40, 60, 3), (0.9, 0.88, 0.85), np.float32)
    colours[:, 20:40] *= 0.8
    colours[:, 40:] = (0.9, 0.5, 0.5)
    known = np.zeros((40, 60), bool)
    known[:, :15] = True
    shade = find_shade(colours, spread_backdrop(colours, known))
    assert shade[:, 22:38].all()
    assert not shade[:, 42:].any()
