"""The operation that gives a grey photograph colours."""

import numpy as np
import pytest

from models.errors import InputError, RegistryError
from models.imaging.colour import rgb_to_lab
from tasks.editing.parsing import parse_operation
from tasks.operations.colorize import Colorize
from tasks.operations.contract.operation import EditContext
from tasks.photos.picture import Picture


class Painter:
    """A network that finds dark things red and light ones blue, and remembers what it was given."""

    slot, version, family, facts = "colorize", 2, "colorful", {"size": 64, "multiple": 16}

    def __init__(self):
        self.shapes = []

    def run(self, image):
        self.shapes.append(image.shape)
        dark = image < 0.5
        return np.concatenate([np.where(dark, 0.6, 0.5), np.where(dark, 0.3, 0.6), np.where(dark, 0.3, 0.8)], 1)


class Shelf:
    def __init__(self, network=None):
        self.kept = network

    def network(self, slot, family=None):
        if self.kept is None or family not in (None, "colorful"):
            raise RegistryError(f"slot: got {slot!r}, which has no versions")
        return self.kept


def draw(height=300, width=220):
    grey = np.where(np.arange(width) < width // 2, 70, 190).astype(np.uint8)
    return np.broadcast_to(grey[None, :, None], (height, width, 3)).copy()


def colour(pixels, strength=1.0):
    picture = Picture(pixels=pixels, alpha=pixels[..., 0], profile=b"profile")
    return Colorize(strength=strength).apply(picture, EditContext(Shelf(Painter())))


@pytest.mark.parametrize("shape", [(300, 220), (64, 900), (1, 1), (5, 40), (128, 128)])
def test_lightness_stays_and_colours_come(shape):
    before = draw(*shape)
    after = colour(before)
    light, coloured = rgb_to_lab(before), rgb_to_lab(after.pixels)
    assert np.abs(light[..., 0] - coloured[..., 0]).max() < 1.5
    assert np.abs(coloured[..., 1:]).max(2).min() > 10
    np.testing.assert_array_equal(after.alpha, before[..., 0])
    assert after.profile == b"profile"
    assert after.notes == ("colorize: by colorful, version 2 of colorize; colours are guesses",)


def test_colours_end_where_things_end():
    after = rgb_to_lab(colour(draw(960, 1280)).pixels)
    assert (after[:, :630, 1] > 10).all()  # red, to within 10 pixels of the edge at 640
    assert (after[:, 650:, 2] < -10).all()  # blue


def test_the_network_sees_a_small_copy_with_sides_that_it_takes():
    painter = Painter()
    for shape in [(3000, 2000), (300, 220), (20, 3000)]:
        Colorize().apply(Picture(pixels=draw(*shape)), EditContext(Shelf(painter)))
    assert painter.shapes == [(1, 1, 96, 64), (1, 1, 96, 64), (1, 1, 16, 256)]


def test_strength_is_how_colourful():
    chroma = [np.abs(rgb_to_lab(colour(draw(), strength).pixels)[..., 1:]).max() for strength in (0, 0.5, 1)]
    assert chroma[0] < 0.5
    assert chroma[1] == pytest.approx(chroma[2] / 2, rel=0.1)


def test_a_photograph_that_had_colours_is_told():
    pixels = draw()
    pixels[10, 10] = (200, 30, 30)
    assert colour(pixels).notes[-1] == "colorize: the photograph was not grey; its own colours were dropped"


def test_without_a_trained_network_one_line_says_how_to_get_one():
    with pytest.raises(InputError, match="op: got 'colorize', allowed: a trained network: `packshot train colorful`"):
        parse_operation("colorize").apply(Picture(pixels=draw()), EditContext(Shelf()))
    with pytest.raises(RegistryError, match="no versions"):
        parse_operation("colorize:other").apply(Picture(pixels=draw()), EditContext(Shelf(Painter())))
    assert Colorize.may_alter_product
