"""Polygons filled by the centres of pixels."""

import numpy as np

from models.imaging.filling.polygon import fill_polygon


def filled(height, width, *points):
    mask = np.zeros((height, width), np.bool_)
    fill_polygon(mask, points)
    return mask


def test_a_rectangle_is_its_box():
    box = np.zeros((10, 12), np.bool_)
    box[2:7, 3:9] = True
    np.testing.assert_array_equal(filled(10, 12, (3, 2), (9, 2), (9, 7), (3, 7)), box)
    np.testing.assert_array_equal(filled(10, 12, (3, 7), (9, 7), (9, 2), (3, 2)), box)


def test_a_triangle_has_its_area():
    mask = filled(200, 200, (0, 0), (200, 0), (200, 200))
    assert abs(mask.sum() / 20_000 - 1) < 0.01
    assert mask[0, 199]
    assert not mask[199, 0]


def test_a_concave_polygon_keeps_its_notch():
    mask = filled(10, 10, (0, 0), (10, 0), (10, 10), (6, 10), (6, 4), (4, 4), (4, 10), (0, 10))
    assert mask.sum() == 100 - 2 * 6
    assert not mask[5:, 4:6].any()


def test_polygons_add_up_and_what_holds_no_centre_marks_nothing():
    mask = filled(4, 4, (0, 0), (2, 0), (2, 4), (0, 4))
    fill_polygon(mask, [(2, 0), (4, 0), (4, 4), (2, 4)])
    assert mask.all()
    assert not filled(4, 4, (1.1, 1.1), (1.4, 1.1), (1.4, 1.4)).any()
