"""Borders: bands and lines with straight steps are seen; margins, gradients and shelves are none."""

import cv2
import numpy as np
import pytest

from models.imaging.inspection.borders import Borders, find_borders

SIDE = 200


def photograph(seed=0):
    """A soft gradient with a dark product in its middle and a little noise, uint8 (SIDE, SIDE, 3)."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    grey = 190 + 30 * rows / SIDE + 10 * columns / SIDE
    grey[np.hypot(rows - 100, columns - 100) < 60] = 60
    noise = np.random.default_rng(seed).normal(0, 1.5, (SIDE, SIDE, 3))
    return np.clip(grey[..., None] + noise, 0, 255).astype(np.uint8)


def framed(depth, colour):
    return cv2.copyMakeBorder(photograph(), depth, depth, depth, depth, cv2.BORDER_CONSTANT, value=colour)


def as_jpeg(pixels):
    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])[1], cv2.IMREAD_COLOR)


def test_a_photograph_has_no_border():
    assert find_borders(photograph()) == Borders()


@pytest.mark.parametrize("depth", [1, 4, 20])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 30)])
def test_a_band_is_found_with_its_depth(depth, colour):
    assert find_borders(framed(depth, colour)) == Borders(depth, depth, depth, depth)


def test_a_band_is_found_after_compression():
    assert find_borders(as_jpeg(framed(12, (0, 0, 0)))).framed


def test_a_line_inside_a_margin_is_a_border():
    page = np.full((SIDE, SIDE, 3), 255, np.uint8)
    cv2.rectangle(page, (8, 8), (191, 191), (0, 0, 0), 2)
    page[60:140, 60:140] = 90
    found = find_borders(page)
    assert found.framed
    assert found.top in (7, 8)


def test_a_letterbox_is_a_border_and_a_shelf_is_none():
    letterbox = cv2.copyMakeBorder(photograph(), 15, 15, 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    assert find_borders(letterbox).framed
    shelf = photograph()
    shelf[-15:] = 40
    assert find_borders(shelf) == Borders(bottom=15)
    assert not find_borders(shelf).framed


def test_a_white_margin_is_none():
    packshot = np.full((SIDE, SIDE, 3), 255, np.uint8)
    packshot[20:180, 50:150] = 90  # nearer to the edge than the deepest band, but not from side to side
    assert not any(find_borders(packshot))


def test_a_steep_gradient_is_none():
    rows = np.linspace(40, 240, SIDE)[:, None, None]
    assert not any(find_borders(np.broadcast_to(rows, (SIDE, SIDE, 3)).astype(np.uint8)))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (8, 40)])
def test_tiny_pictures_are_read(shape):
    assert find_borders(np.full((*shape, 3), 7, np.uint8)) == Borders()
