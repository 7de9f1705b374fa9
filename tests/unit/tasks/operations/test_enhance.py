"""Enhance: off is byte-equal, auto says what it picked and from what."""

import numpy as np
import pytest
from pydantic import ValidationError

from models.imaging.adjustments.degradation import add_noise
from tasks.editing.parsing import parse_operation
from tasks.operations.contract.operation import EditContext
from tasks.operations.enhance import STEPS, Enhance
from tasks.photos.picture import Picture

SURROUNDINGS = EditContext(None)


def studio(side=200):
    """A good packshot: a light even backdrop, a product with dark and light parts in focus."""
    picture = np.full((side, side, 3), (238, 236, 234), np.uint8)
    picture[60:160, 60:140] = (25, 25, 28)
    picture[80:140, 70:130][:, ::3] = (160, 60, 50)
    return picture


def test_all_off_is_the_same_picture():
    picture = Picture(studio())
    assert Enhance().apply(picture, SURROUNDINGS) is picture


@pytest.mark.parametrize("step", STEPS)
def test_each_strength_has_an_effect_of_its_own(step):
    noisy = add_noise((studio() * 0.5).astype(np.uint8), 8, np.random.default_rng(0))
    picture = Picture(noisy + np.array([20, 0, 0], np.uint8), alpha=np.full((200, 200), 255, np.uint8))
    after = Enhance(**{step: 1.0}).apply(picture, SURROUNDINGS)
    assert not np.array_equal(after.pixels, picture.pixels)
    assert np.array_equal(after.alpha, picture.alpha)


def test_auto_leaves_a_good_studio_photograph_alone_and_says_so():
    after = Enhance(mode="auto").apply(Picture(studio()), SURROUNDINGS)
    assert np.array_equal(after.pixels, studio())
    assert "nothing to do; left alone: denoise (noise 0.0 grey levels)" in after.notes[0]


def test_auto_picks_what_a_bad_photograph_needs():
    bad = add_noise((studio() * np.array([0.25, 0.22, 0.15])).astype(np.uint8), 12, np.random.default_rng(0))
    note = Enhance(mode="auto").apply(Picture(bad), SURROUNDINGS).notes[0]
    done = note.split("; left alone")[0]
    assert "denoise 0." in done
    assert "exposure 0." in done


def test_a_given_strength_holds_beside_auto():
    note = Enhance(mode="auto", contrast=0.25).apply(Picture(studio()), SURROUNDINGS).notes[0]
    assert "contrast 0.25" in note.split("; left alone")[0]


def test_transparent_parts_are_not_looked_at():
    pixels = studio()
    pixels[:50] = 0
    alpha = np.full((200, 200), 255, np.uint8)
    alpha[:50] = 0
    note = Enhance(mode="auto").apply(Picture(pixels, alpha), SURROUNDINGS).notes[0]
    assert "exposure" not in note.split("; left alone")[0]


def test_the_command_line_s_grammar():
    assert parse_operation("enhance:auto") == Enhance(mode="auto")
    assert parse_operation("enhance,contrast=0.4,denoise=0.2") == Enhance(contrast=0.4, denoise=0.2)
    with pytest.raises(ValidationError):
        Enhance(contrast=1.5)
