"""Holes filled by the picture's own patches."""

import numpy as np
import pytest

from models.imaging.filling.patch_field import COARSEST, RADIUS, TRUST, fill_by_patches, improve, match, vote


def checks(side=64, period=8):
    rows, columns = np.mgrid[:side, :side] // (period // 2) % 2
    return np.where((rows == columns)[..., None], np.uint8(220), np.uint8(30)).repeat(3, 2)


def square(side, top, left, size):
    hole = np.zeros((side, side), bool)
    hole[top : top + size, left : left + size] = True
    return hole


def test_a_pattern_goes_on_through_the_hole_and_all_else_stays():
    pixels, hole = checks(), square(64, 26, 27, 10)
    filled = fill_by_patches(np.where(hole[..., None], np.uint8(128), pixels), hole)
    np.testing.assert_array_equal(filled[~hole], pixels[~hole])
    assert np.abs(filled.astype(int) - pixels)[hole].mean() < 25


def test_what_was_in_the_hole_does_not_matter():
    hole = square(64, 20, 30, 9)
    first, second = (fill_by_patches(np.where(hole[..., None], np.uint8(v), checks()), hole) for v in (0, 255))
    np.testing.assert_array_equal(first, second)


def test_where_no_whole_patch_is_known_the_hole_is_filled_smoothly():
    side = 2 * RADIUS + 3
    pixels = np.full((side, side, 3), 90, np.uint8)
    hole = square(side, RADIUS, RADIUS, 3)
    filled = fill_by_patches(np.where(hole[..., None], np.uint8(0), pixels), hole)
    assert np.abs(filled.astype(int) - 90).max() <= 1


def test_no_hole_changes_nothing():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fill_by_patches(pixels, np.zeros((40, 50), bool)), pixels)
    values = pixels.astype(np.float32)
    np.testing.assert_array_equal(improve(values, np.zeros((40, 50), bool), 2), values)


def test_a_picture_is_not_reduced_below_the_coarsest_side():
    pixels, hole = checks(2 * COARSEST - 1), square(2 * COARSEST - 1, 20, 20, 4)
    assert fill_by_patches(pixels, hole).shape == pixels.shape


def test_the_nearest_patch_is_found_with_its_distance():
    patches = np.random.default_rng(0).normal(0, 50, (300, 147)).astype(np.float32)
    distances, nearest = match(patches, patches[[7, 250]] + np.float32(0.01))
    assert nearest.tolist() == [7, 250]
    assert distances == pytest.approx([0, 0], abs=1)


def test_votes_count_by_how_near_the_patches_are_and_how_deep_in_the_hole_they_lie():
    values = np.full((7, 16, 3), 100, np.float32)
    values[:, 7:] = 200
    hole = np.zeros((7, 16), bool)
    hole[3, 3] = True
    wanted = np.array([[0, 0], [0, 1]])  # around the hole's pixel, and around the one beside it
    found = np.array([[0, 0], [0, 7]])  # which have 100 and 200 in the hole's place
    near = vote(values, hole, wanted, found, np.float32([5, 5]), 1)
    assert near[3, 3] == pytest.approx([(100 / TRUST + 200) / (1 / TRUST + 1)] * 3, abs=1)
    sharp = vote(values, hole, wanted, found, np.float32([0, 1000]), 8)
    assert sharp[3, 3] == pytest.approx([100, 100, 100], abs=5)
    assert (near[~hole] == values[~hole]).all()
