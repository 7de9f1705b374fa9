"""Drawn holes: their share of the picture, the same for the same seed."""

import numpy as np
import pytest

from models.families.free_form import BUCKETS, draw_mask


@pytest.mark.parametrize("share", BUCKETS)
def test_a_drawn_hole_takes_its_share_and_is_the_same_for_the_same_seed(share):
    masks = [draw_mask(96, 128, share, np.random.default_rng(seed)) for seed in range(20)]
    assert all(share[0] <= mask.mean() <= share[1] for mask in masks)
    assert np.std([mask.mean() for mask in masks]) > 0.15 * (share[1] - share[0])
    small = [draw_mask(32, 32, share, np.random.default_rng(seed)) for seed in range(200)]  # where a step is much
    assert all(share[0] - 1 / 1024 <= mask.mean() <= share[1] for mask in small)
    np.testing.assert_array_equal(masks[3], draw_mask(96, 128, share, np.random.default_rng(3)))
    assert (masks[3] != masks[4]).any()
