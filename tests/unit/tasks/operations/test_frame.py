"""Frame: the product's share, square and size, where its pixels went, and what is said of padding and enlarging."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InputError
from models.imaging.cutout.matte import find_box, find_product
from tasks.editing.parsing import parse_operation
from tasks.operations.contract.operation import EditContext
from tasks.operations.frame import Frame
from tasks.photos.picture import Picture

SURROUNDINGS = EditContext(None)


def photo(background=255):
    """A dark product of 60 x 100 pixels, off the middle."""
    pixels = np.full((200, 300, 3), background, np.uint8)
    cv2.rectangle(pixels, (40, 50), (99, 149), (40, 50, 90), -1)
    return Picture(pixels)


def test_the_product_takes_its_share_of_a_square_in_the_middle():
    after = Frame(share=0.8, square=True, side=500).apply(photo(), SURROUNDINGS)
    left, top, right, bottom = find_box(find_product(after.pixels))
    assert after.pixels.shape == (500, 500, 3)
    assert (bottom - top) / 500 == pytest.approx(0.8, abs=0.02)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((250, 250), abs=6)


def test_the_placement_says_where_a_pixel_went():
    before = photo()
    before.pixels[100, 70] = (255, 0, 0)
    after = Frame(share=0.5, square=True).apply(before, SURROUNDINGS)
    place = after.placement
    assert after.pixels[int(100 + place.top), int(70 + place.left)].tolist() == [255, 0, 0]
    assert place.scale == 1


def test_enlarging_and_seams_are_said():
    large = Frame(share=0.9, minimum_side=1000).apply(photo(), SURROUNDINGS)
    assert max(large.height, large.width) == 1000
    assert "upscale" in large.notes[-1]
    seam = Frame(square=True).apply(photo(200), SURROUNDINGS)
    assert seam.notes == ("frame: padded with white beside a background of #c8c8c8: run background first",)
    assert (seam.pixels[0] == 255).all()
    even = Frame(square=True, background="surroundings").apply(photo(200), SURROUNDINGS)
    assert (even.pixels[0] == 200).all()
    assert even.notes == ()


def test_a_large_enough_picture_is_not_resized():
    after = Frame(minimum_side=100).apply(photo(), SURROUNDINGS)
    assert np.array_equal(after.pixels, photo().pixels)


def test_transparent_parts_stay_and_grow():
    alpha = np.zeros((200, 300), np.uint8)
    alpha[50:150, 40:100] = 255
    after = Frame(share=0.5, square=True, side=100).apply(Picture(photo().pixels, alpha), SURROUNDINGS)
    assert after.alpha.shape == (100, 100)
    assert after.alpha[0, 0] == 0
    assert (after.alpha > 127).mean() == pytest.approx(0.5 * 0.3, abs=0.02)


def test_a_frame_of_too_many_pixels_is_refused():
    with pytest.raises(InputError, match="greater share"):
        Frame(square=True).apply(Picture(np.zeros((10, 30_000, 3), np.uint8)), SURROUNDINGS)


def test_the_command_line_s_grammar():
    assert parse_operation("frame:0.85,square=true,side=2000") == Frame(share=0.85, square=True, side=2000)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([None, 0.3, 1.0]), st.booleans(), st.booleans())
def test_any_size_can_be_framed(height, width, share, square, transparent):
    pixels = np.zeros((height, width, 3), np.uint8)
    alpha = np.full((height, width), 255, np.uint8) if transparent else None
    after = Frame(share=share, square=square, side=32).apply(Picture(pixels, alpha), SURROUNDINGS)
    assert max(after.height, after.width) == 32
    assert (after.alpha is not None) == transparent
