"""Masks grown, shrunk, opened, gathered and freed of crumbs."""

import numpy as np
import pytest

from models.imaging.cutout.masks import disc, drop_crumbs, gather, grow, open_mask, shrink_mask


def square(side, low, high):
    mask = np.zeros((side, side), bool)
    mask[low:high, low:high] = True
    return mask


def test_growing_and_shrinking_move_the_outline_by_the_radius():
    mask = square(40, 10, 30)
    assert grow(mask, 3)[20, 7]
    assert not grow(mask, 3)[20, 6]
    assert shrink_mask(mask, 3)[20, 13]
    assert not shrink_mask(mask, 3)[20, 12]
    assert shrink_mask(np.ones((9, 9), bool), 3).all()  # beyond the picture is inside


def test_opening_takes_thin_parts_away_and_leaves_thick_ones():
    mask = square(40, 10, 30)
    mask[20, 30:38] = True
    assert not open_mask(mask, 2)[20, 34]
    assert open_mask(mask, 2)[20, 20]


def test_gathering_closes_gaps_and_fills_holes():
    ring = square(40, 8, 32) & ~square(40, 12, 28)
    ring[18:21, 8:12] = False
    assert gather(ring, 3)[20, 20]
    assert not gather(ring, 0)[20, 20]


def test_crumbs_are_dropped_and_an_empty_mask_stays_empty():
    mask = square(40, 5, 30)
    mask[35:37, 35:37] = True
    assert not drop_crumbs(mask)[36, 36]
    assert drop_crumbs(mask)[10, 10]
    assert not drop_crumbs(np.zeros((5, 5), bool)).any()


@pytest.mark.parametrize(("radius", "side"), [(-1, 1), (0, 1), (1.4, 3), (3, 7)])
def test_a_disc_is_as_wide_as_its_diameter(radius, side):
    assert disc(radius).shape == (side, side)
