"""Sides brought to multiples by mirroring."""

import numpy as np
import pytest

from models.imaging.scaling.mirroring import mirror


@pytest.mark.parametrize(("shape", "wanted"), [((5, 8), (8, 8)), ((4, 4, 3), (4, 4, 3)), ((1, 9, 3), (4, 12, 3))])
def test_sides_become_multiples_and_the_picture_stays_in_its_corner(shape, wanted):
    values = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    made = mirror(values, 4)
    assert made.shape == wanted
    assert made.dtype == np.uint8
    assert np.array_equal(made[: shape[0], : shape[1]], values)


def test_what_is_added_is_the_mirror_of_the_nearest_rows():
    rows = np.arange(5)[:, None].repeat(4, 1)
    assert mirror(rows, 4)[:, 0].tolist() == [0, 1, 2, 3, 4, 4, 3, 2]
