"""Sharpness: less when blurred, the same at every size, and no matter how contrasty the product is."""

import cv2
import numpy as np
import pytest

from models.imaging.inspection.sharpness import SIDE, measure_sharpness


def texture(side=200, seed=0):
    """Squares of random greys."""
    cells = np.random.default_rng(seed).integers(20, 236, (side // 8, side // 8), dtype=np.uint8)
    return np.repeat(cv2.resize(cells, (side, side), interpolation=cv2.INTER_NEAREST)[..., None], 3, 2)


WHOLE = (0, 0, 200, 200)


def test_blur_takes_sharpness_step_by_step():
    found = [measure_sharpness(texture(), WHOLE)]
    found += [measure_sharpness(cv2.GaussianBlur(texture(), (0, 0), sigma), WHOLE) for sigma in (1, 2, 4)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 4 * found[2]


def test_contrast_does_not_count():
    low = (texture().astype(float) * 0.5 + 60).astype(np.uint8)
    assert measure_sharpness(low, WHOLE) == pytest.approx(measure_sharpness(texture(), WHOLE), rel=0.1)


def test_only_the_box_counts():
    picture = np.full((200, 300, 3), 255, np.uint8)
    picture[:, :200] = texture()
    assert measure_sharpness(picture, WHOLE) == pytest.approx(measure_sharpness(texture(), WHOLE))
    assert measure_sharpness(picture, (220, 10, 290, 190)) == 0  # white, without anything to be sharp


def test_a_large_picture_is_measured_at_a_thousand_pixels():
    small = texture(SIDE // 2)
    large = cv2.resize(small, (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_NEAREST)
    half = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    box = (0, 0, SIDE, SIDE)
    assert measure_sharpness(large, (0, 0, 2 * SIDE, 2 * SIDE)) == pytest.approx(measure_sharpness(half, box), rel=0.02)
