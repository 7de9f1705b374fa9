"""Holes cut out, filled and put back: by networks and by the methods without training."""

import numpy as np
import pytest

from models.errors import InputError
from models.imaging.filling.blending import blend, spread
from models.imaging.filling.fill import CLASSICAL, fill_by, fit_decay
from models.imaging.filling.holes import fill_by_network, fill_holes, find_holes, measure_thickness, network_context
from models.imaging.inspection.similarity import psnr

HEIGHT, WIDTH = 120, 150


def photo(height=HEIGHT, width=WIDTH):
    """Slopes of colour with a little grain."""
    down, across = np.mgrid[:height, :width]
    colours = np.stack((60 + across, 200 - down, 90 + (down + across) / 3), -1)
    grain = np.random.default_rng(0).normal(0, 1.5, colours.shape)
    return np.clip(colours * 0.8 + grain, 0, 255).astype(np.uint8)


def hole(*boxes, height=HEIGHT, width=WIDTH):
    mask = np.zeros((height, width), bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def fill_harmonically(image, mask):
    """A network that gives a hole what is harmonic."""
    planes = spread(image[0].transpose(1, 2, 0), mask[0, 0] == 0)
    return planes.transpose(2, 0, 1)[None]


def fill_with_the_mean(image, mask):
    """A network that gives a hole the mean of all that it is shown."""
    known = image * (1 - mask)
    mean = known.sum((2, 3), keepdims=True) / (1 - mask).sum()
    return known + mask * mean


@pytest.mark.parametrize("method", CLASSICAL)
def test_each_method_fills_a_slope_and_touches_nothing_else(method):
    pixels, mask = photo(), hole((40, 50, 60, 75), (0, 0, 9, 12))
    spoilt = np.where(mask[..., None], np.uint8(255), pixels)
    filled = fill_by(method, spoilt, mask)
    np.testing.assert_array_equal(filled[~mask], pixels[~mask])
    assert psnr(filled[mask], pixels[mask]) > 28


@pytest.mark.parametrize("method", CLASSICAL)
def test_what_the_hole_holds_does_not_show(method):
    mask = hole((40, 50, 60, 75))
    first, second = (np.where(mask[..., None], np.uint8(level), photo()) for level in (0, 255))
    np.testing.assert_array_equal(fill_by(method, first, mask), fill_by(method, second, mask))


@pytest.mark.parametrize("method", ["gp", "mrf"])
def test_methods_for_small_holes_refuse_large_ones(method):
    pixels = np.zeros((400, 400, 3), np.uint8)
    with pytest.raises(InputError, match=rf"^family: got '{method}', allowed: holes of at most .* has 200x30"):
        fill_by(method, pixels, hole((0, 0, 30, 200), height=400, width=400))


def test_patches_go_on_with_stripes_where_fronts_blur_them():
    across = np.arange(WIDTH)
    stripes = np.where(across // 4 % 2, 220, 40).astype(np.uint8)
    pixels = np.repeat(np.broadcast_to(stripes, (HEIGHT, WIDTH))[..., None], 3, 2).copy()
    mask = hole((45, 60, 75, 90))
    by_patches, by_fronts = (psnr(fill_by(name, pixels, mask)[mask], pixels[mask]) for name in ("mrf", "telea"))
    assert by_patches > by_fronts + 6


def test_the_covariances_decay_is_found_again():
    lags = np.arange(1, 9)
    length, share = fit_decay(0.8 * np.exp(-0.5 * (lags / 3.0) ** 2))
    assert length == pytest.approx(3.0, rel=0.15)
    assert share == pytest.approx(0.8, abs=0.06)


def test_spread_values_are_harmonic():
    down, across = np.mgrid[:40, :48].astype(np.float32)
    plane = np.stack((down, across, down - across), -1)
    known = ~hole((10, 12, 30, 36), height=40, width=48)
    np.testing.assert_allclose(spread(np.where(known[..., None], plane, 0), known), plane, atol=2.0)
    assert not spread(plane, np.zeros_like(known)).any()


def test_a_guess_that_is_wrong_by_a_colour_is_corrected():
    pixels, mask = photo(), hole((40, 50, 80, 100))
    blended = blend(pixels, pixels.astype(np.float32) + np.float32([30, -20, 10]), mask, 3)
    np.testing.assert_array_equal(blended[~mask], pixels[~mask])
    assert np.abs(blended.astype(int) - pixels).max() <= 2


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
