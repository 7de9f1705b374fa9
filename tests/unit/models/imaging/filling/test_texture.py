"""Textures grown from an example: seamless, like it, reproducible, and quick."""

import sys
from collections import Counter

import numpy as np
import pytest

from models.errors import InputError
from models.imaging.filling.texture import build_levels, grow_texture, refine


def checks(side=96, period=12, noise=12, seed=0):
    """A checked cloth with noisy threads, uint8 (side, side, 3)."""
    down, right = np.mgrid[:side, :side] // (period // 2) % 2
    colours = np.stack((60 + 120 * down, 80 + 90 * right, 150 - 60 * (down ^ right)), -1)
    return (colours + np.random.default_rng(seed).integers(0, noise, colours.shape)).astype(np.uint8)


def blobs(side=96, seed=0):
    """Soft grey blobs, uint8 (side, side, 1): a texture without a period."""
    spectrum = np.fft.fft2(np.random.default_rng(seed).normal(size=(side, side)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    field = np.fft.ifft2(spectrum * np.exp(-((frequency / 0.06) ** 2))).real
    return np.clip(127 + 60 * field / field.std(), 0, 255).astype(np.uint8)[..., None]


def steps(texture):
    """Mean absolute difference from each row to the one above and each column to the one before, wrapped around."""
    values = texture.astype(float)
    down = np.abs(values - np.roll(values, 1, 0)).mean((1, 2))
    across = np.abs(values - np.roll(values, 1, 1)).mean((0, 2))
    return down, across


@pytest.mark.parametrize(("example", "size"), [(blobs(), 128), (checks(), 131), (checks(160)[:96], 100)])
def test_the_wrapped_edges_are_no_rougher_than_the_inside(example, size):
    texture = grow_texture(example, size, seed=3)
    assert texture.shape == (size, size, example.shape[2])
    assert texture.dtype == np.uint8
    for one in steps(texture):
        assert one[0] <= np.quantile(one[1:], 0.98) + 2
    # The example itself, tiled, is not seamless.
    assert steps(blobs()[:80, :80])[0][0] > 2 * np.quantile(steps(blobs()[:80, :80])[0][1:], 0.98)


def test_every_pixel_is_one_of_the_example():
    example = checks()
    known = {tuple(pixel) for pixel in example.reshape(-1, 3).tolist()}
    assert {tuple(pixel) for pixel in grow_texture(example, 80).reshape(-1, 3).tolist()} <= known


def test_a_texture_has_the_greys_and_the_roughness_of_its_example():
    example = blobs()
    texture = grow_texture(example, 160, seed=1)
    levels = np.linspace(0.1, 0.9, 9)
    np.testing.assert_allclose(np.quantile(texture, levels), np.quantile(example, levels), atol=25)
    assert steps(texture)[0].mean() == pytest.approx(steps(example)[0][1:].mean(), rel=0.2)


def test_the_pattern_keeps_its_period():
    texture = grow_texture(checks(period=12), 96, seed=0)
    grey = texture[..., 0].astype(float)
    same, opposite = (np.abs(grey - np.roll(grey, step, 0)).mean() for step in (12, 6))
    assert same < 0.35 * opposite


def test_the_seed_alone_decides():
    example = blobs(64)
    first, again, other = (grow_texture(example, 64, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_example_is_not_copied_whole():
    example = blobs(64)
    texture = grow_texture(example, 128)[..., 0].astype(int)
    windows = np.lib.stride_tricks.sliding_window_view(texture, (48, 48))[::4, ::4]
    assert np.abs(windows - example[8:56, 8:56, 0].astype(int)).mean((2, 3)).min() > 5


@pytest.mark.parametrize("side", [5, 8, 9])
def test_finer_places_continue_the_coarser_ones(side):
    level = build_levels(blobs(64), 64)[0]
    coarse = np.stack(np.mgrid[10:15, 20:25], -1)[: -(-side // 2), : -(-side // 2)]
    fine = refine(coarse, side, level)
    assert fine.shape == (side, side, 2)
    # Two pixels of the finer level to each of the coarser one: no place is left out, none comes twice.
    np.testing.assert_array_equal(fine[:, 0, 0], 2 * (10 + 2) - 2 + np.arange(side))
    np.testing.assert_array_equal(fine[0, :, 1], 2 * (20 + 2) - 2 + np.arange(side))


def test_four_times_the_pixels_do_not_take_more_calls():
    """Pixels are worked on in whole arrays: a loop over them in Python would make an hour of the largest texture."""
    small, large = (count_calls(lambda size=size: grow_texture(checks(128), size)) for size in (64, 128))
    assert large < 1.3 * small


def count_calls(function):
    """How many functions, of Python and of C, are called by `function()`."""
    calls = Counter()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: calls.update([event]))
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls["call"] + calls["c_call"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((blobs()[..., 0], 128, 0), r"^example shape: got \(96, 96\)"),
        ((blobs(40), 128, 0), r"^example size: got '40x40', allowed: 64 to 1024 pixels a side"),
        ((blobs(), 63, 0), r"^size: got 63, allowed: 64 to 2048"),
        ((blobs(), 2049, 0), r"^size: got 2049"),
        ((blobs(), 128, -1), r"^seed: got -1, allowed: 0 to 2147483647"),
    ],
)
def test_values_out_of_bounds_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        grow_texture(*arguments)


def test_a_flat_example_gives_a_flat_texture():
    assert (grow_texture(np.full((64, 64, 3), 77, np.uint8), 64) == 77).all()
