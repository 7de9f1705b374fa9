"""The measured change inside the product, through changes of scale, place, profile and transparency."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tasks.editing.changes import measure_change, outline_product, sample
from tasks.photos.picture import Picture, Placement
from tasks.photos.reading import read_picture

INSIDE = np.s_[60:180, 80:240]


def photograph(height=240, width=320):
    """Smooth colours and a textured product on white."""
    random = np.random.default_rng(0)
    texture = Image.fromarray(random.integers(0, 200, (12, 16, 3), dtype=np.uint8))
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[INSIDE] = np.asarray(texture.resize((160, 120), Image.Resampling.BICUBIC))
    return Picture(pixels)


def find(pixels):
    return (pixels.min(axis=2) < 230).astype(np.float32)


def nothing(pixels):
    return np.zeros(pixels.shape[:2], np.float32)


def brighter(picture, where, by=25):
    pixels = picture.pixels.copy()
    pixels[where] = np.clip(pixels[where].astype(int) + by, 0, 255)
    return picture.with_pixels(pixels)


def measured(before, after, original=None):
    return measure_change(before, after, outline_product(original or before, find))


def enlarged(picture, times):
    size = (round(picture.width * times), round(picture.height * times))
    pixels = np.asarray(Image.fromarray(picture.pixels).resize(size, Image.Resampling.BICUBIC))
    return replace(picture, pixels=pixels, placement=picture.placement.then(scale=times))


def padded(picture, left, top, right, bottom, colour=0):
    pixels = np.pad(picture.pixels, ((top, bottom), (left, right), (0, 0)), constant_values=colour)
    return replace(picture, pixels=pixels, placement=picture.placement.then(left=left, top=top))


def cropped(picture, left, top, right, bottom):
    pixels = picture.pixels[top:bottom, left:right]
    return replace(picture, pixels=pixels, placement=picture.placement.then(left=-left, top=-top))


def test_the_product_is_outlined_on_a_small_copy():
    product = outline_product(Picture(photograph().pixels.repeat(4, axis=0).repeat(4, axis=1)), find)
    assert max(product.mask.shape) == 512
    assert product.mask.mean() == pytest.approx(120 * 160 / (240 * 320), abs=0.03)
    assert outline_product(photograph(), nothing) is None


def test_equal_pictures_differ_by_nothing():
    change = measured(photograph(), photograph())
    assert change.product.colour_mean == change.product.colour_p95 == change.product.changed_share == 0
    assert change.product.ssim == pytest.approx(1)
    assert change.product_kept == 1
    assert "inside the product" in change.text


def test_what_changes_outside_the_product_is_not_the_products():
    outside = brighter(photograph(), np.s_[:40, :], by=-120)
    change = measured(photograph(), outside)
    assert change.product.colour_mean == 0
    assert change.picture.colour_mean > 3
    inside = measured(photograph(), brighter(photograph(), INSIDE))
    assert inside.product.changed_share > 0.9
    assert inside.product.colour_mean > 5 * inside.picture.changed_share


def test_a_shift_of_a_known_size_is_measured_as_that():
    grey = Picture(np.full((100, 100, 3), 119, np.uint8))
    change = measure_change(grey, Picture(np.full((100, 100, 3), 131, np.uint8)), None)
    assert change.picture.colour_mean == pytest.approx(4.6, abs=0.3)  # L 50 to 54.7
    assert change.product is None
    assert change.text.startswith("no product was found; the whole picture:")


@pytest.mark.parametrize("times", [2, 3, 0.5, 1.37])
def test_a_change_of_scale_alone_is_little(times):
    plain = measured(photograph(), enlarged(photograph(), times))
    assert plain.product.colour_mean < 1
    assert plain.product.ssim > 0.98
    assert plain.product_kept == 1
    lit = measured(photograph(), brighter(enlarged(photograph(), times), np.s_[:]))
    assert lit.product.colour_mean > 3


def test_padding_is_not_compared():
    change = measured(photograph(), padded(photograph(), 33, 17, 5, 71))
    assert change.picture.colour_mean == 0
    assert change.product_kept == 1


def test_cropping_says_how_much_of_the_product_is_left():
    half = measured(photograph(), cropped(photograph(), 160, 0, 320, 240))
    assert half.product_kept == pytest.approx(0.5, abs=0.03)
    assert half.product.colour_mean == 0
    gone = measured(photograph(), cropped(photograph(), 0, 0, 60, 240))
    assert gone.product_kept == 0
    assert gone.product is None
    nothing_left = measured(photograph(), cropped(padded(photograph(), 0, 0, 400, 0), 330, 0, 700, 240))
    assert nothing_left.picture is None
    assert "nothing of the earlier picture" in nothing_left.text


def test_steps_after_a_crop_and_a_padding_are_measured_where_the_product_now_is():
    original = photograph()
    moved = padded(enlarged(cropped(original, 40, 20, 300, 200), 2), 100, 50, 10, 10, colour=255)
    lit = brighter(moved, np.s_[50 + 2 * 40 : 50 + 2 * 160, 100 + 2 * 40 : 100 + 2 * 200])
    step = measure_change(moved, lit, outline_product(original, find))
    assert step.product.changed_share > 0.9
    whole = measure_change(original, lit, outline_product(original, find))
    assert whole.product.changed_share > 0.9
    assert measure_change(original, moved, outline_product(original, find)).product.colour_mean < 1


def test_a_placement_by_fractions_of_a_pixel_is_followed():
    original = photograph()
    placed = sample(original, (10.5, 20.25, 300.5, 220.25), 1.0)
    change = measured(original, Picture(placed, placement=Placement(1.0, -10.5, -20.25)))
    assert change.product.colour_mean < 0.7


def test_transparent_parts_count_as_white():
    alpha = np.full((240, 320), 255, np.uint8)
    alpha[INSIDE] = 0
    change = measured(photograph(), replace(photograph(), alpha=alpha))
    assert change.product.changed_share > 0.9
    background = 255 - alpha
    assert measured(photograph(), replace(photograph(), alpha=background)).product.changed_share < 0.05


@pytest.mark.photos
def test_the_products_of_real_packshots_are_measured(photographs):
    from models.imaging.cutout.matte import find_product

    found = 0
    for path in sorted((photographs / "packshots").glob("*.webp"))[::41]:
        picture = read_picture(path).picture
        product = outline_product(picture, find_product)
        if product is None:
            continue
        found += 1
        doubled = measure_change(picture, enlarged(picture, 2), product)
        assert doubled.product.colour_mean < 1
        assert doubled.product.ssim > 0.97
        assert measure_change(picture, brighter(picture, np.s_[:]), product).product.colour_mean > 2
    assert found >= 2
