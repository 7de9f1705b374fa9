"""Holes cut out, filled and put back: by networks and by the methods without training."""

import numpy as np
import pytest

from models.imaging.filling.blending import spread
from models.imaging.filling.holes import fill_by_network, fill_holes, find_holes, measure_thickness, network_context
from tests.holes import hole, photo


def fill_harmonically(image, mask):
    """A network that gives a hole what is harmonic."""
    planes = spread(image[0].transpose(1, 2, 0), mask[0, 0] == 0)
    return planes.transpose(2, 0, 1)[None]


def fill_with_the_mean(image, mask):
    """A network that gives a hole the mean of all that it is shown."""
    known = image * (1 - mask)
    mean = known.sum((2, 3), keepdims=True) / (1 - mask).sum()
    return known + mask * mean


def test_far_holes_have_windows_of_their_own_and_near_ones_share():
    mask = hole((5, 5, 10, 10), (5, 14, 10, 20), (100, 120, 110, 140))
    found = list(find_holes(mask, lambda own: 4))
    assert len(found) == 2
    assert sum(own.sum() for _, own in found) == mask.sum()
    assert found[0][0] == (slice(0, 14 + 8), slice(0, 24 + 8))


def test_a_later_hole_sees_what_filled_an_earlier_one():
    mask, seen = hole((10, 10, 14, 14), (10, 60, 14, 64)), []

    def fill(pixels, inside):
        seen.append(int(inside.sum()))
        return pixels

    fill_holes(photo(), mask, fill, lambda own: 100)
    assert seen == [32, 16]


@pytest.mark.parametrize("box", [(50, 20, 56, 130), (20, 20, 100, 120)])
def test_a_network_sees_whole_multiples_and_changes_the_hole_alone(box):
    pixels, mask, shapes = photo(), hole(box), []

    def infer(image, mask):
        shapes.append(image.shape)
        assert image[mask.repeat(3, 1) > 0] == pytest.approx(0.5)
        return fill_with_the_mean(image, mask)

    filled = fill_by_network(pixels, mask, infer, 16)
    np.testing.assert_array_equal(filled[~mask], pixels[~mask])
    assert filled[mask].std() < 80
    assert all(side % 16 == 0 for shape in shapes for side in shape[2:])


def test_a_wide_hole_is_filled_in_a_reduced_picture_without_a_step_at_its_edge():
    pixels, mask = photo(300, 400), hole((100, 120, 200, 260), height=300, width=400)
    spoilt = np.where(mask[..., None], np.uint8(255), pixels)
    assert measure_thickness(mask) == pytest.approx(100, abs=4)
    assert network_context(mask[100:200, 120:260]) > 128
    filled = fill_by_network(spoilt, mask, fill_harmonically, 16).astype(int)
    for inside, outside in ((filled[100, 120:260], filled[99, 120:260]), (filled[100:200, 120], filled[100:200, 119])):
        assert abs((inside - outside).mean()) < 4


def test_a_long_scratch_takes_many_calls_of_one_size():
    pixels, mask, sizes = photo(40, 1500), hole((18, 3, 22, 1490), height=40, width=1500), []

    def infer(image, mask):
        sizes.append(image.shape[3])
        return fill_with_the_mean(image, mask)

    fill_by_network(pixels, mask, infer, 16)
    assert len(sizes) == 6
    assert max(sizes) <= 256 + 2 * 64
