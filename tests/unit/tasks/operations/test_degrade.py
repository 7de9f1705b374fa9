"""Degrade: the whole picture or a region, nothing beyond it, and a blur that hides."""

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from models.errors import InputError
from tasks.editing.parsing import parse_operation
from tasks.operations.contract.operation import EditContext
from tasks.operations.contract.region import Region
from tasks.operations.degrade import AMOUNTS, Degrade
from tasks.photos.picture import Picture, Placement

SURROUNDINGS = EditContext(None, seed=3)
BOX = (4, 20, 96, 44)


def picture(seed=0):
    return Picture(np.random.default_rng(seed).integers(0, 256, (64, 100, 3), np.uint8))


def plate(text):
    pixels = np.full((64, 100, 3), 230, np.uint8)
    cv2.putText(pixels, text, (8, 39), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (10, 10, 10), 2)
    return Picture(pixels)


@pytest.mark.parametrize("kind", AMOUNTS)
def test_outside_the_region_every_byte_stays(kind):
    before = picture()
    after = Degrade(kind=kind, region=Region(boxes=[BOX])).apply(before, SURROUNDINGS)
    left, top, right, bottom = BOX
    outside = np.ones((64, 100), bool)
    outside[top:bottom, left:right] = False
    assert np.array_equal(after.pixels[outside], before.pixels[outside])
    assert not np.array_equal(after.pixels[~outside], before.pixels[~outside])


@pytest.mark.parametrize("kind", ["blur", "pixelate"])
def test_two_number_plates_cannot_be_told_apart_after_it(kind):
    region = Region(boxes=[BOX])
    first, second = (plate(text).pixels for text in ("B KX 47", "R HN 13"))
    before = np.abs(first.astype(int) - second).max()
    hidden = [
        Degrade(kind=kind, region=region).apply(Picture(pixels), SURROUNDINGS).pixels for pixels in (first, second)
    ]
    assert before > 200
    assert np.abs(hidden[0].astype(int) - hidden[1]).max() < 0.35 * before
    fine = np.abs(np.diff(hidden[0][22:42, 6:94].astype(int), axis=1))
    assert np.percentile(fine, 90) < 0.05 * before


def test_a_blur_too_weak_to_hide_says_so():
    weak = Degrade(kind="blur", amount=1, region=Region(boxes=[BOX])).apply(picture(), SURROUNDINGS)
    assert weak.notes == ("degrade: blur 1 at 4 20 96 44, too weak to hide what is there: 8 would",)
    strong = Degrade(kind="blur", region=Region(boxes=[BOX])).apply(picture(), SURROUNDINGS)
    assert strong.notes == ("degrade: blur 8 at 4 20 96 44",)


def test_the_whole_picture_shrinks_with_its_alpha_and_placement():
    alpha = np.zeros((64, 100), np.uint8)
    alpha[:32] = 255
    after = Degrade(kind="downscale", amount=2).apply(Picture(picture().pixels, alpha), SURROUNDINGS)
    assert (after.height, after.width, after.alpha.shape) == (32, 50, (32, 50))
    assert after.placement == Placement(scale=0.5)
    assert (after.alpha[:14] == 255).all()


def test_noise_follows_the_seed_of_the_run_or_its_own():
    def noisy(run, own=None):
        return Degrade(kind="noise", seed=own).apply(picture(), EditContext(None, seed=run)).pixels

    assert np.array_equal(noisy(1), noisy(1))
    assert not np.array_equal(noisy(1), noisy(2))
    assert np.array_equal(noisy(1, own=9), noisy(2, own=9))


def test_amounts_have_bounds_of_their_kind_and_regions_must_fit():
    with pytest.raises(ValidationError, match="JPEG quality"):
        Degrade(kind="compress", amount=200)
    with pytest.raises(InputError, match="inside the picture"):
        Degrade(kind="blur", region=Region(boxes=[(0, 0, 500, 10)])).apply(picture(), SURROUNDINGS)
    assert parse_operation("degrade:blur,amount=4") == Degrade(kind="blur", amount=4)
