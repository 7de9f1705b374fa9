"""Text over a photograph: lines of letters beside the product are seen, its own print and plain texture are not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from models.imaging.inspection.overlays import find_text

SIDE = 500
PLACE = (20, 20)


def packshot():
    """A beige picture with a dark round product, and where the product is."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    product = np.hypot(rows - 280, columns - 250) < 170
    pixels = np.full((SIDE, SIDE, 3), (226, 218, 206), np.float64) - 20 * (rows / SIDE)[..., None]
    pixels[product] = (70, 72, 80)
    return (pixels + np.random.default_rng(0).normal(0, 1, pixels.shape)).clip(0, 255).astype(np.uint8), product


def written(pixels, place=PLACE, colour=(170, 20, 20), opacity=255, size=26, text="SALE 50% OFF"):
    page = Image.fromarray(pixels).convert("RGBA")
    layer = Image.new("RGBA", page.size, (0, 0, 0, 0))
    ImageDraw.Draw(layer).text(place, text, font=ImageFont.load_default(size=size), fill=(*colour, opacity))
    return np.asarray(Image.alpha_composite(page, layer).convert("RGB"))


def test_nothing_is_seen_where_nothing_is_written():
    assert find_text(*packshot()) == []


@pytest.mark.parametrize("size", [14, 26, 48, 70])
def test_a_line_is_found_where_it_is(size):
    pixels, product = packshot()
    (box,) = find_text(written(pixels, size=size), product & False)
    assert 15 <= box.left <= 30
    assert 15 <= box.top <= 20 + size / 2
    assert box.right - box.left > 4 * size
    assert box.bottom - box.top < 1.5 * size


@pytest.mark.parametrize(("colour", "opacity"), [((255, 255, 255), 130), ((80, 80, 80), 60)])
def test_a_faint_watermark_is_found(colour, opacity):
    pixels, product = packshot()
    assert find_text(written(pixels, colour=colour, opacity=opacity, text="www.myshop.com"), product)


def test_the_products_own_print_is_not_taken_for_text():
    pixels, product = packshot()
    printed = written(pixels, place=(150, 270), colour=(240, 240, 240))
    assert find_text(printed, product) == []
    assert find_text(printed, np.zeros_like(product))  # it is the mask that tells them apart


def test_a_mask_that_holds_the_letters_does_not_hide_them():
    pixels, product = packshot()
    overlaid = written(pixels)
    letters = (overlaid != pixels).any(axis=2)
    assert find_text(overlaid, product | letters)


def test_a_rough_background_is_no_text():
    noise = np.random.default_rng(3).normal(128, 40, (SIDE // 5, SIDE // 5, 3)).clip(0, 255).astype(np.uint8)
    carpet = np.asarray(Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    assert find_text(carpet, np.zeros((SIDE, SIDE), bool)) == []


def test_a_row_of_vents_is_no_text():
    pixels, product = packshot()
    vents = pixels.copy()
    for left in range(30, 430, 16):
        vents[30:90, left : left + 9] = 40
    assert find_text(vents, product & False) == []


def test_a_tiny_picture_is_read():
    assert find_text(np.zeros((1, 1, 3), np.uint8), np.ones((1, 1), bool)) == []
