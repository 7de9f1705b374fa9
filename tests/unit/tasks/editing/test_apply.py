"""Lists of operations applied to pictures, and what is said of each step."""

from typing import ClassVar, Literal

import numpy as np
import pytest

from tasks.editing.apply import apply_edit
from tasks.editing.networks import Asked, RecordingNetworks
from tasks.editing.parsing import parse_operation
from tasks.operations.contract.operation import EditContext, Operation
from tasks.photos.picture import Picture
from tasks.provenance.edited import UsedNetwork
from tasks.provenance.source_type import Marking


class Shade:
    """A network that halves what it is given."""

    slot, version, family, facts = "shade", 3, "half", {}

    def run(self, **inputs):
        return inputs["planes"] / 2


class Shelf:
    """A toolbox with one network, and a count of how often it was asked."""

    def __init__(self):
        self.asked = []

    def network(self, slot, family=None):
        self.asked.append((slot, family))
        return Shade()


class Darken(Operation):
    """Halves a picture by a network."""

    may_alter_product: ClassVar[bool] = True
    marking: ClassVar[Marking] = "compositeWithTrainedAlgorithmicMedia"
    title: ClassVar[str] = "Darken"
    op: Literal["darken"] = "darken"
    times: int = 1

    def apply(self, picture, context):
        pixels = picture.pixels
        for _ in range(self.times):
            planes = pixels.transpose(2, 0, 1)[None].astype(np.float32)
            pixels = context.networks.network("shade").run(planes=planes)[0].transpose(1, 2, 0).astype(np.uint8)
        return picture.with_pixels(pixels, f"darkened {self.times} times, seed {context.seed}")


class Rename(Operation):
    """Changes nothing."""

    may_alter_product: ClassVar[bool] = False
    marking: ClassVar[Marking] = "none"
    title: ClassVar[str] = "Nothing"
    op: Literal["rename"] = "rename"

    def apply(self, picture, context):
        return picture


def product(height=60, width=80):
    """A red square on white."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[15:45, 20:60] = (200, 40, 40)
    return pixels


def is_red(pixels):
    return (pixels[..., 1] < 128).astype(np.float32)


def test_steps_say_what_ran_by_which_version_and_what_it_changed():
    shelf = Shelf()
    picture = Picture(product(), notes=("16 bits",))
    edited = apply_edit(picture, [Rename(), Darken(times=2)], EditContext(shelf, seed=7), is_red)
    nothing, darken = edited.steps
    assert (nothing.op, nothing.networks, nothing.notes, nothing.may_alter_product) == ("rename", (), (), False)
    assert nothing.change.product.colour_mean == 0
    assert nothing.change.product.ssim == pytest.approx(1)
    assert (darken.op, darken.parameters) == ("darken", {"times": 2})
    assert darken.networks == (UsedNetwork(slot="shade", version=3, family="half"),)
    assert darken.notes == ("darkened 2 times, seed 7",)
    assert darken.change.product.colour_mean > 20
    assert darken.change.product.changed_share == 1
    assert edited.change == darken.change
    assert edited.may_alter_product
    assert [step.marking for step in edited.steps] == ["none", "compositeWithTrainedAlgorithmicMedia"]
    assert edited.asked == (Asked(slot="shade", family=None, version=3),)
    assert edited.picture.notes == ("16 bits", "darkened 2 times, seed 7")
    np.testing.assert_array_equal(edited.picture.pixels, product() // 2 // 2)
    np.testing.assert_array_equal(picture.pixels, product())


def test_the_whole_change_is_measured_against_the_original():
    edited = apply_edit(Picture(product()), [Darken(), Darken()], EditContext(Shelf()), is_red)
    first, second = (step.change.product.colour_mean for step in edited.steps)
    assert edited.change.product.colour_mean > max(first, second)


def test_nothing_to_do_changes_nothing():
    picture = Picture(product())
    edited = apply_edit(picture, [], EditContext(Shelf()), is_red)
    assert edited.picture is picture
    assert edited.steps == ()
    assert not edited.may_alter_product
    assert edited.change.product.colour_mean == 0


def test_measuring_can_be_left_out():
    edited = apply_edit(Picture(product()), [Darken()], EditContext(Shelf()), None, measured=False)
    assert edited.change is None
    assert edited.steps[0].change is None


def test_the_products_own_outline_is_found_when_none_is_given():
    pixels = np.full((200, 240, 3), 255, np.uint8)
    pixels[60:140, 70:170] = (200, 40, 40)
    edited = apply_edit(Picture(pixels), [parse_operation("degrade:grayscale")], EditContext(Shelf()))
    assert edited.change.product_share == pytest.approx(80 * 100 / (200 * 240), abs=0.03)
    assert edited.change.product.colour_mean > 20


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (7, 3)])
def test_tiny_pictures_are_edited_and_measured(size):
    picture = Picture(np.full((*size, 3), 90, np.uint8))
    edited = apply_edit(picture, [parse_operation("degrade:noise,amount=60")], EditContext(Shelf(), seed=1))
    assert (edited.picture.height, edited.picture.width) == size
    assert edited.change.picture.colour_mean > 0


def test_a_network_asked_for_twice_is_noted_once_and_the_toolbox_is_asked_each_time():
    shelf = Shelf()
    recording = RecordingNetworks(shelf)
    for family in (None, "half", None):
        recording.network("shade", family)
    assert recording.used == (UsedNetwork(slot="shade", version=3, family="half"),)
    assert recording.asked == tuple(Asked(slot="shade", family=family, version=3) for family in (None, "half"))
    assert shelf.asked == [("shade", None), ("shade", "half"), ("shade", None)]
