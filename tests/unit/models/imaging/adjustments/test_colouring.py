"""Colours found in a small grey copy, brought to the photograph along its own edges."""

import numpy as np
import pytest

from models.imaging.adjustments.colouring import LONGEST, colourise, run, shrink
from models.imaging.colour import rgb_to_lab


def photo(height=96, width=120):
    """A bright left half and a dark right one, with a little grain."""
    levels = np.where(np.arange(width) < width // 2, 190, 70)[None, :, None]
    grain = np.random.default_rng(0).integers(-6, 7, (height, width, 1))
    return np.clip(np.repeat(levels + grain, 3, 2), 0, 255).astype(np.uint8)


def paint(lightness):
    """A network that makes what is bright reddish and what is dark bluish."""
    bright = lightness > 0.5
    return np.concatenate(
        [np.where(bright, one, other) for one, other in ((0.9, 0.2), (0.7, 0.25), (0.65, 0.45))], axis=1
    ).astype(np.float32)


def test_colours_are_the_networks_and_the_light_is_the_photographs():
    made = colourise(photo(), paint, size=48, multiple=8)
    assert made.shape == photo().shape
    before, after = rgb_to_lab(photo()), rgb_to_lab(made)
    assert np.abs(after[..., 0] - before[..., 0]).mean() < 0.5
    assert after[:, :50, 1].mean() > 8  # towards red
    assert after[:, -50:, 2].mean() < -8  # towards blue
    # The colour changes where the light does, not where the small copy's pixels end.
    assert after[:, 57:59, 1].mean() > 5
    assert after[:, 62:64, 2].mean() < -5


def test_strength_multiplies_the_colours_and_nothing_is_grey():
    chromas = []
    for strength in (0.0, 0.5, 1.0):
        lab = rgb_to_lab(colourise(photo(), paint, 48, 8, strength))
        chromas.append(np.hypot(lab[..., 1], lab[..., 2]).mean())
    assert chromas[0] < 0.5
    assert chromas[1] == pytest.approx(chromas[2] / 2, rel=0.1)


def test_the_photographs_own_colours_do_not_show():
    red = photo().copy()
    red[..., 1:] //= 2
    grey = np.repeat(rgb_to_lab(red)[..., :1], 3, 2)
    made = rgb_to_lab(colourise(red, lambda light: np.repeat(light, 3, 1), 48, 8))
    assert np.abs(made[..., 1:]).mean() < 1
    assert np.abs(made[..., 0] - grey[..., 0]).mean() < 0.5


@pytest.mark.parametrize(("height", "width"), [(96, 120), (30, 700), (9, 9), (1, 5)])
def test_the_network_sees_multiples_and_strips_are_bounded(height, width):
    seen = []

    def infer(light):
        seen.append(light.shape)
        return np.repeat(light, 3, 1)

    assert colourise(photo(height, width), infer, size=32, multiple=16).shape == (height, width, 3)
    ((_, _, rows, columns),) = seen
    assert rows % 16 == columns % 16 == 0
    assert max(rows, columns) <= LONGEST * 32 + 16


def test_the_plane_is_mirrored_to_what_the_network_takes_and_cut_again():
    plane = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    made = run(lambda light: np.repeat(light, 3, 1), plane, 8)
    np.testing.assert_array_equal(made, np.repeat(plane[..., None], 3, 2))


def test_shrinking_takes_the_mean_and_leaves_at_least_a_pixel():
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, ::2] = 100
    assert (shrink(pixels, 0.5) == 50).all()
    assert shrink(pixels, 0.01).shape == (1, 1, 3)
    assert shrink(pixels, 2).shape == (8, 12, 3)
