import numpy as np
import pytest

from models.outline.measuring import (
    Agreement,
    compare_boundaries,
    compare_outlines,
    measure_distance,
    summarise,
    trace,
)

TRUTH = np.zeros((60, 60), np.float32)
TRUTH[20:40, 20:40] = 1


def test_equal_outlines_agree_wholly():
    assert compare_outlines(TRUTH, TRUTH, False) == Agreement(1.0, 1.0, False)


def test_half_of_a_product_is_half_an_outline():
    half = TRUTH.copy()
    half[30:] = 0
    assert compare_outlines(half, TRUTH, True).iou == pytest.approx(0.5)


def test_a_boundary_may_be_off_by_three_pixels_and_no_more():
    near, far = np.roll(TRUTH, 3, axis=1) > 0.5, np.roll(TRUTH, 9, axis=1) > 0.5
    assert compare_boundaries(near, TRUTH > 0.5) == 1.0
    assert compare_boundaries(far, TRUTH > 0.5) < 0.8


def test_nothing_found_agrees_with_nothing_alone():
    nothing = np.zeros_like(TRUTH) > 0.5
    assert compare_boundaries(nothing, nothing) == 1.0
    assert compare_boundaries(nothing, TRUTH > 0.5) == 0.0


def test_an_outline_is_one_pixel_wide():
    assert trace(TRUTH > 0.5).sum() == 4 * 19
    assert measure_distance(trace(TRUTH > 0.5))[20, 15] == pytest.approx(5, abs=0.1)


def test_a_summary_counts_failures_and_what_was_noted_of_them():
    made = summarise([Agreement(0.5, 0.2, True), Agreement(0.7, 0.4, False), Agreement(0.9, 1.0, False)])
    assert made.failed == pytest.approx(2 / 3)
    assert made.failures_doubted == 0.5
    assert made.good_doubted == 0.0
    assert summarise([Agreement(1.0, 1.0, False)]).failures_doubted is None
