import numpy as np
import pytest

from models.outline.backdrops import KINDS, TEXTURES, draw_backdrop

PHOTO = np.full((60, 90, 3), 200, np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_backdrop_is_a_picture_of_the_side_asked(kind):
    for seed in range(12):
        made = draw_backdrop(kind, 64, [PHOTO], np.random.default_rng(seed))
        assert made.shape == (64, 64, 3)
        assert made.dtype == np.float32
        assert made.min() >= 0
        assert made.max() <= 1


def test_clutter_is_cut_from_the_photos():
    made = draw_backdrop("clutter", 32, [PHOTO], np.random.default_rng(0))
    np.testing.assert_allclose(made, 200 / 255, atol=1e-3)


def test_white_is_bright_and_the_same_seed_gives_the_same():
    one, other = (draw_backdrop("white", 64, [], np.random.default_rng(4)) for _ in range(2))
    assert one.mean() > 0.8
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("draw", TEXTURES)
def test_a_texture_has_structure(draw):
    assert draw(96, np.random.default_rng(1)).std() > 0.01
