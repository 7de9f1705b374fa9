"""A change of a reduced copy brought to the photograph: what stays, and what comes through."""

import numpy as np
import pytest

from models.imaging.adjustments.restyling import ROWS, frame, lift, match_luma, reduce, soften, to_grey
from models.imaging.colour import luma


def photo(height=90, width=120, seed=0):
    return np.random.default_rng(seed).integers(60, 190, (height, width, 3)).astype(np.uint8)


def test_a_copy_of_the_same_size_comes_through_exactly():
    made = photo(seed=1)
    assert np.array_equal(lift(photo(), photo(), made, np.ones((90, 120), np.float32)), made)


def test_no_share_leaves_the_bytes_and_half_goes_half_the_way():
    made, share = np.full((90, 120, 3), 255, np.uint8), np.zeros((90, 120), np.float32)
    share[40:] = 0.5
    changed = lift(photo(), photo(), made, share)
    assert np.array_equal(changed[:40], photo()[:40])
    assert np.abs(changed[40:].astype(float) - (photo()[40:] + 255.0) / 2).max() <= 0.5


def test_details_that_the_copy_cannot_show_stay():
    large = photo(2 * ROWS + 6, 400)
    small = reduce(large, 100)
    changed = lift(large, small, small + 20, np.ones(large.shape[:2], np.float32))
    assert np.array_equal(changed, large + 20)


def test_a_change_of_luma_keeps_the_colours():
    changed = lift(photo(), photo(), photo(seed=1), np.ones((90, 120), np.float32), luma_only=True)
    unclipped = ((changed > 0) & (changed < 255)).all(axis=2)
    before, after = photo().astype(int), changed.astype(int)
    assert unclipped.mean() > 0.8
    assert np.array_equal((before - before[..., :1])[unclipped], (after - after[..., :1])[unclipped])
    assert np.abs(luma(changed) - luma(photo(seed=1)))[unclipped].max() < 1.5 / 255


@pytest.mark.parametrize(
    ("shape", "size", "wanted"),
    [((90, 120), 60, (45, 60)), ((90, 120), 500, (90, 120)), ((1, 1), 64, (32, 32)), ((1000, 40), 100, (100, 32))],
)
def test_copies_are_bounded_on_both_ends(shape, size, wanted):
    assert reduce(photo(*shape), size).shape == (*wanted, 3)
    assert reduce(np.ones(shape, np.float32), size).shape == wanted


def test_a_softened_mask_is_zero_outside_and_one_within():
    inside = np.zeros((40, 40), np.bool_)
    inside[10:30, 10:30] = True
    share = soften(inside, 1.5)
    assert (share[~inside] == 0).all()
    assert share[20, 20] == pytest.approx(1)
    assert 0 < share[10, 20] < share[11, 20] < share[12, 20]


def test_a_frame_holds_all_that_takes_a_share_and_stays_in_the_picture():
    share = np.zeros((100, 80), np.float32)
    share[20:60, 0:21] = 0.1
    down, across = frame(share, 0.1)
    assert (down, across) == (slice(16, 64), slice(0, 25))


def test_a_grey_style_has_the_lightness_of_the_photo():
    style = np.random.default_rng(0).integers(0, 255, (50, 50, 3)).astype(np.uint8)
    matched = match_luma(style, photo())
    assert np.array_equal(matched, to_grey(matched))
    assert luma(matched).mean() == pytest.approx(luma(photo()).mean(), abs=0.005)
    assert luma(matched).std() == pytest.approx(luma(photo()).std(), abs=0.005)
