"""A frame holds the product whole, at the share that was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.imaging.cutout.framing import cut_frame, find_border_colour, place_frame, resize


def test_the_product_fills_its_share_of_the_side_or_of_the_area():
    left, top, right, bottom = place_frame((100, 200, 300, 600), 1000, 800, 0.8, 1)
    assert (right - left, bottom - top) == (500, 500)
    assert ((left + right) / 2, (top + bottom) / 2) == (200, 400)
    left, top, right, bottom = place_frame((100, 200, 300, 400), 1000, 1000, 0.25, 1, "area")
    assert (right - left) * (bottom - top) * 0.25 == pytest.approx(200 * 200, rel=0.01)


def test_without_a_share_nothing_is_cut():
    assert place_frame((10, 10, 20, 20), 300, 400, None) == (0, 0, 400, 300)
    assert place_frame((10, 10, 20, 20), 300, 400, None, 1) == (0, -50, 400, 350)


@given(
    st.tuples(*[st.integers(0, 200)] * 2, *[st.integers(1, 200)] * 2),
    st.floats(0.1, 1),
    st.sampled_from([None, 1, 4 / 3, 0.5]),
    st.sampled_from(["side", "area"]),
)
def test_the_product_is_never_cut(corner, share, aspect, measure):
    left, top, wide, high = corner
    box = (left, top, left + wide, top + high)
    frame = place_frame(box, 400, 400, share, aspect, measure)
    assert frame[0] <= left and frame[1] <= top and frame[2] >= box[2] and frame[3] >= box[3]
    assert aspect != 1 or frame[2] - frame[0] == frame[3] - frame[1]


@pytest.mark.parametrize(
    ("height", "width", "aspect", "size"),
    [(750, 1000, 4 / 3, (1000, 750)), (1000, 1000, 4 / 3, (1334, 1000)), (100, 300, 0.75, (300, 400))],
)
def test_a_picture_is_padded_to_an_aspect_and_never_cut(height, width, aspect, size):
    left, top, right, bottom = place_frame((0, 0, 1, 1), height, width, None, aspect)
    assert (right - left, bottom - top) == size


def test_what_lies_beyond_the_picture_is_filled():
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert cut_frame(picture, (-1, 1, 3, 4), 99).tolist() == [[99, 4, 5, 6], [99, 8, 9, 10], [99] * 4]
    assert (cut_frame(picture, (10, 10, 12, 12), 7) == 7).all()


def test_the_longer_side_is_exact():
    assert resize(np.zeros((30, 90, 3), np.uint8), 31).shape == (10, 31, 3)
    assert resize(np.zeros((1, 500), np.uint8), 20).shape == (1, 20)


def test_the_border_s_colour_is_its_median():
    picture = np.zeros((9, 9, 3), np.uint8)
    picture[[0, -1]] = picture[:, [0, -1]] = (240, 230, 220)
    picture[0, 2] = 0
    assert find_border_colour(picture) == (240, 230, 220)
