"""Background: pure white where no product is, the product's bytes where it is, soft and clean between."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from models.imaging.cutout.matte import find_product
from tasks.operations.background import Background
from tasks.operations.contract.operation import EditContext
from tasks.operations.contract.region import Region
from tasks.photos.picture import Picture

SURROUNDINGS = EditContext(None)


def photo():
    pixels = np.full((160, 160, 3), (232, 224, 214), np.uint8)
    cv2.circle(pixels, (80, 80), 45, (30, 70, 150), -1, cv2.LINE_AA)
    return Picture(pixels)


def test_white_is_255_and_the_product_keeps_its_bytes():
    after = Background().apply(photo(), SURROUNDINGS)
    matte = find_product(photo().pixels)
    assert (after.pixels[matte == 0] == 255).all()
    assert np.array_equal(after.pixels[matte == 1], photo().pixels[matte == 1])
    assert (matte == 0).mean() > 0.6
    assert after.notes == ()


def test_a_colour_and_transparency():
    assert Background(colour="#102030").apply(photo(), SURROUNDINGS).pixels[0, 0].tolist() == [16, 32, 48]
    clear = Background(colour="transparent").apply(photo(), SURROUNDINGS)
    assert (clear.alpha[0, 0], clear.alpha[80, 80]) == (0, 255)
    flat = Background(colour="red").apply(clear, SURROUNDINGS)
    assert flat.alpha is None
    assert flat.pixels[0, 0].tolist() == [255, 0, 0]


def test_a_given_region_is_the_product():
    after = Background(region=Region(boxes=[(40, 50, 100, 110)])).apply(photo(), SURROUNDINGS)
    assert (after.pixels[:40] == 255).all()
    assert np.array_equal(after.pixels[56:104, 46:94], photo().pixels[56:104, 46:94])


def test_a_picture_without_a_product_is_left_and_said_to_be():
    empty = Picture(np.full((40, 40, 3), 128, np.uint8))
    after = Background().apply(empty, SURROUNDINGS)
    assert np.array_equal(after.pixels, empty.pixels)
    assert after.notes[-1] == "background: left as it was"


def test_what_is_no_colour_is_refused():
    for wrong in ("nothing", "#12", "#11223344"):
        with pytest.raises(ValidationError, match="a colour"):
            Background(colour=wrong)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_any_picture_has_the_size_that_it_had(height, width, transparent):
    generator = np.random.default_rng(height * 100 + width)
    pixels = generator.integers(0, 256, (height, width, 3), np.uint8)
    alpha = generator.integers(0, 256, (height, width), np.uint8) if transparent else None
    after = Background().apply(Picture(pixels, alpha), SURROUNDINGS)
    assert after.pixels.shape == pixels.shape


@pytest.mark.photos
@pytest.mark.parametrize("name", ["tower-fan-black", "beard-trimmer-3000"])
def test_packshots_stand_on_white(photographs, name):
    with Image.open(photographs / "packshots" / f"{name}.webp") as image:
        image.thumbnail((400, 400))
        pixels = np.array(image.convert("RGB"))
    after = Background().apply(Picture(pixels), SURROUNDINGS).pixels
    border = np.concatenate([after[0], after[:, 0], after[:, -1]])
    assert (border == 255).all(axis=1).mean() > 0.98
    assert 0.05 < (after != 255).any(axis=2).mean() < 0.7
