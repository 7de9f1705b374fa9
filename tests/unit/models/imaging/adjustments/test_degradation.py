"""Degradations give the same bytes each time, and do what their amount says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.imaging.adjustments import degradation


def picture(height=48, width=60, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_a_blur_keeps_the_mean_and_takes_the_detail():
    blurred = degradation.blur(picture(), 3)
    assert abs(blurred.mean() - picture().mean()) < 2
    assert blurred.std() < 0.2 * picture().std()
    assert np.array_equal(degradation.blur(picture(), 0), picture())


def test_jpeg_loses_more_at_a_lower_quality():
    lost = [
        np.abs(degradation.compress_jpeg(picture(), quality).astype(int) - picture()).mean() for quality in (95, 50, 5)
    ]
    assert lost[0] < lost[1] < lost[2]


def test_grey_is_the_luma_of_bt_601():
    grey = degradation.to_grayscale(np.array([[[255, 0, 0], [0, 255, 0], [10, 20, 30]]], np.uint8))
    assert grey.tolist() == [[[76] * 3, [150] * 3, [18] * 3]]


def test_downscaling_is_pillow_s_bicubic():
    expected = np.asarray(Image.fromarray(picture()).resize((20, 16), Image.Resampling.BICUBIC))
    assert np.array_equal(degradation.downscale(picture(), 3), expected)
    assert degradation.downscale(picture(1, 1), 64).shape == (1, 1, 3)


def test_noise_has_its_deviation_and_follows_the_seed():
    grey = np.full((200, 200, 3), 128, np.uint8)
    first, again, other = (degradation.add_noise(grey, 8, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first.astype(float) - grey).std() == pytest.approx(8, rel=0.03)


def test_a_mosaic_holds_each_square_s_mean():
    mosaic = degradation.pixelate(picture(10, 7), 4)
    assert np.array_equal(mosaic[:4, :4], np.broadcast_to(np.rint(picture(10, 7)[:4, :4].mean((0, 1))), (4, 4, 3)))
    assert (mosaic[8:, 4:] == mosaic[8, 4]).all()


def test_pieces_are_found_apart():
    inside = np.zeros((10, 12), bool)
    inside[1:3, 1:5] = inside[6:9, 8:12] = True
    pieces = degradation.find_pieces(inside)
    assert [box for box, _ in pieces] == [(1, 1, 5, 3), (8, 6, 12, 9)]
    assert all(mask.all() for _, mask in pieces)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**31))
def test_any_size_keeps_its_shape_and_is_not_changed_in_place(height, width, seed):
    before = picture(height, width, seed)
    given_in = before.copy()
    results = [
        degradation.blur(before, 20),
        degradation.compress_jpeg(before, 30),
        degradation.to_grayscale(before),
        degradation.add_noise(before, 10, np.random.default_rng(0)),
        degradation.pixelate(before, 7),
    ]
    assert all(result.shape == before.shape and result.dtype == np.uint8 for result in results)
    assert np.array_equal(before, given_in)
