"""What fills a hole, put back without a seam."""

import numpy as np

from models.imaging.filling.blending import blend, spread
from tests.holes import hole, photo


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
