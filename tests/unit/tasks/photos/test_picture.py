"""A picture while it is edited: never changed in place, and each pixel of the original is found again."""

import numpy as np
import pytest

from tasks.photos.picture import Picture, Placement


def test_placements_follow_one_another():
    placed = Placement().then(scale=2, left=10, top=-4).then(scale=0.5, left=1)
    assert (placed.scale, placed.left, placed.top) == (1.0, 6.0, -2.0)
    # The original's point (3, 5): twice as far, moved, half as far, moved.
    assert (3 * placed.scale + placed.left, 5 * placed.scale + placed.top) == ((3 * 2 + 10) / 2 + 1, (5 * 2 - 4) / 2)


def test_other_colours_keep_all_else_and_add_notes():
    pixels = np.zeros((4, 6, 3), np.uint8)
    alpha = np.full((4, 6), 9, np.uint8)
    picture = Picture(pixels, alpha, profile=b"p", placement=Placement(2.0), notes=("first",))
    made = picture.with_pixels(pixels + 7, "second", "third")
    assert (made.height, made.width) == (4, 6)
    assert (made.pixels == 7).all()
    assert (made.profile, made.placement) == (b"p", Placement(2.0))
    assert made.alpha is alpha
    assert made.notes == ("first", "second", "third")
    assert not picture.pixels.any()
    assert picture.notes == ("first",)
    with pytest.raises(AttributeError):
        picture.pixels = made.pixels
