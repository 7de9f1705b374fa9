"""A product found on a studio's backdrop, on a pattern, with a shadow, with a hole, and where there is none."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.imaging.cutout.doubt import list_doubts
from models.imaging.cutout.matte import find_box, find_product

BACKDROP = np.array([235, 228, 220], np.float32)


def overlap(matte, truth):
    found = matte > 0.5
    return (found & truth).sum() / (found | truth).sum()


def studio(side=240, shadow=False):
    """A backdrop that darkens to the right, and soft shadow where asked for; float32."""
    light = np.linspace(1, 0.93, side, dtype=np.float32)[None, :, None]
    scene = np.broadcast_to(BACKDROP * light, (side, side, 3)).copy()
    if shadow:
        dark = np.zeros((side, side), np.float32)
        cv2.ellipse(dark, (side // 2 + 30, side * 3 // 4), (side // 4, side // 16), 0, 0, 360, 1, -1)
        scene *= 1 - 0.3 * cv2.GaussianBlur(dark, (0, 0), 8)[..., None]
    return scene


def place(scene, truth, colour):
    """The scene with a product, antialiased, and the sensor's noise."""
    share = cv2.GaussianBlur(truth.astype(np.float32), (0, 0), 0.7)[..., None]
    noise = np.random.default_rng(0).normal(0, 1, scene.shape)
    return np.clip(scene * (1 - share) + np.array(colour, np.float32) * share + noise, 0, 255).astype(np.uint8)


def disc(side=240, radius=60):
    rows, columns = np.mgrid[:side, :side]
    return (rows - side / 2) ** 2 + (columns - side / 2) ** 2 < radius**2


@pytest.mark.parametrize("colour", [(20, 20, 22), (160, 30, 40), (120, 160, 140), (250, 250, 252)])
def test_a_product_is_found_on_a_backdrop_white_ones_too(colour):
    truth = disc()
    assert overlap(find_product(place(studio(), truth, colour)), truth) > 0.95


def test_a_dark_product_leaves_its_shadow_behind():
    truth = disc()
    matte = find_product(place(studio(shadow=True), truth, (30, 30, 30)))
    assert overlap(matte, truth) > 0.92


def test_the_backdrop_seen_through_a_handle_is_no_product():
    truth = disc(radius=90) & ~disc(radius=40)
    matte = find_product(place(studio(), truth, (30, 60, 120)))
    assert matte[120, 120] == 0
    assert overlap(matte, truth) > 0.9


def test_a_product_is_found_on_a_pattern():
    weave = np.random.default_rng(1).uniform(-25, 25, (80, 80, 1)).repeat(3, 2)
    scene = cv2.resize(weave, (240, 240), interpolation=cv2.INTER_CUBIC).astype(np.float32) + np.float32([150, 110, 70])
    truth = disc()
    assert overlap(find_product(place(scene, truth, (40, 70, 200))), truth) > 0.9


def test_a_mask_is_soft_on_the_edge_alone_and_the_same_each_time():
    picture = place(studio(600), disc(600, 150), (60, 60, 60))
    matte = find_product(picture)
    assert (matte.dtype, matte.shape) == (np.float32, (600, 600))
    assert (matte[:100] == 0).all()
    assert (matte[disc(600, 130)] == 1).all()
    soft = (matte > 0) & (matte < 1)
    assert 0 < soft.mean() < 0.03
    assert np.array_equal(matte, find_product(picture))


def test_an_even_picture_has_no_product_and_a_tiny_one_is_all_product():
    empty = np.full((64, 80, 3), 200, np.uint8)
    assert not find_product(empty).any()
    assert list_doubts(empty, find_product(empty)) == ("no product stands out from the border",)
    assert (find_product(np.zeros((1, 1, 3), np.uint8)) == 1).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**31))
def test_any_picture_gives_a_mask_of_its_size(height, width, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    matte = find_product(picture)
    assert matte.shape == (height, width)
    assert 0 <= matte.min() <= matte.max() <= 1
    list_doubts(picture, matte)


def test_the_box_is_where_the_mask_is_above_the_level():
    matte = np.zeros((20, 30), np.float32)
    matte[4:9, 10:25] = 1
    matte[3, 10] = 0.2
    assert find_box(matte) == (10, 4, 25, 9)
    assert find_box(matte, 0.1) == (10, 3, 25, 9)
    assert find_box(np.zeros((3, 3), np.float32)) is None


def test_doubts_name_what_is_wrong():
    picture = place(studio(), disc(), (30, 30, 30))
    assert list_doubts(picture, find_product(picture)) == ()
    everything = np.ones((240, 240), np.float32)
    assert "covers" in " ".join(list_doubts(picture, everything)).replace("cover ", "covers ")
    assert "top, bottom, left, right" in " ".join(list_doubts(picture, everything))
    elsewhere = np.zeros((240, 240), np.float32)
    elsewhere[5:45, 5:60] = 1
    assert "hardly differs" in " ".join(list_doubts(picture, elsewhere))
