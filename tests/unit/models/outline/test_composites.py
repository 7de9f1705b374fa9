import numpy as np
import pytest

from models.outline.backdrops import KINDS
from models.outline.composites import compose, expose, lay, shade, vary

PRODUCT = np.zeros((100, 60, 4), np.uint8)
PRODUCT[5:95, 5:55] = (200, 30, 30, 255)
PHOTO = np.full((90, 90, 3), 120, np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_composite_has_the_alpha_of_what_was_pasted(kind):
    photo, alpha = compose([PRODUCT], [PHOTO], kind, 96, np.random.default_rng(2))
    assert photo.shape == (96, 96, 3)
    assert photo.dtype == np.uint8
    assert alpha.shape == (96, 96)
    assert 0.01 < alpha.mean() < 0.9


def test_the_same_seed_makes_the_same_composite():
    one, other = (compose([PRODUCT], [PHOTO], "studio", 96, np.random.default_rng(8)) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_a_product_is_laid_with_its_own_colours_to_the_edge():
    colours, cover = lay(PRODUCT.astype(np.float32) / 255, 96, 0.6, np.random.default_rng(1))
    inside = cover > 0.5
    np.testing.assert_allclose(
        colours[inside], np.broadcast_to([200 / 255, 30 / 255, 30 / 255], (inside.sum(), 3)), atol=0.02
    )


def test_a_shadow_only_darkens_and_is_no_product():
    cover = np.zeros((96, 96), np.float32)
    cover[30:60, 30:60] = 1
    white = np.ones((96, 96, 3), np.float32)
    made = [shade(white, cover, np.random.default_rng(seed)) for seed in range(8)]
    assert all((one <= 1).all() for one in made)
    assert any((one < 0.95).any() for one in made)


def test_variations_keep_the_alpha():
    product = PRODUCT.astype(np.float32) / 255
    for seed in range(8):
        made = vary(PRODUCT, np.random.default_rng(seed))
        np.testing.assert_array_equal(made[..., 3], product[..., 3])


def test_exposure_gives_bytes_near_the_picture():
    picture = np.full((32, 32, 3), 0.5, np.float32)
    for seed in range(8):
        made = expose(picture, np.random.default_rng(seed))
        assert made.dtype == np.uint8
        assert 60 < made.mean() < 190
