"""The operation that fills a region."""

import numpy as np
import pytest

from models.errors import InputError, RegistryError
from models.exported.editor import ExportedRestoration
from tasks.editing.parsing import parse_operation
from tasks.operations.contract.operation import EditContext
from tasks.operations.inpaint import Inpaint
from tasks.photos.picture import Picture
from tests.editors import write_inpainter


class Loaded(ExportedRestoration):
    slot, version = "inpaint", 3


class Shelf:
    """A toolbox with one exported network, or none."""

    def __init__(self, path=None):
        self.path = path

    def network(self, slot, family=None):
        if self.path is None or family not in (None, "pix2pix"):
            raise RegistryError(f"slot: got {slot!r}, which has no versions")
        return Loaded(self.path, threads=1)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return Shelf(write_inpainter(tmp_path_factory.mktemp("network") / "network.onnx"))


def picture(height=310, width=420):
    down, across = np.mgrid[:height, :width]
    pixels = np.stack((across % 256, down % 256, (across + down) % 256), -1).astype(np.uint8)
    return Picture(pixels=pixels, alpha=(down % 251).astype(np.uint8), profile=b"profile")


@pytest.mark.parametrize("family", [None, "pix2pix", "telea", "navier-stokes", "gp", "mrf"])
@pytest.mark.parametrize("region", ["boxes=20 30 52 70;380 280 420 310", "polygons=100 100 130 105 115 140"])
def test_outside_the_region_every_byte_stays(shelf, family, region):
    before, operation = picture(), parse_operation(f"inpaint,{region}" + (f",family={family}" if family else ""))
    after = operation.apply(before, EditContext(shelf))
    inside = operation.region.rasterise(before.height, before.width)
    np.testing.assert_array_equal(after.pixels[~inside], before.pixels[~inside])
    np.testing.assert_array_equal(after.alpha, before.alpha)
    assert (after.pixels[inside] != before.pixels[inside]).any()
    assert (after.profile, after.placement) == (before.profile, before.placement)


def test_a_large_region_of_a_photo_is_filled_by_the_champion_and_says_so(shelf):
    before, operation = picture(1200, 1000), parse_operation("inpaint,boxes=300 400 620 690")
    after = operation.apply(before, EditContext(shelf))
    inside = operation.region.rasterise(1200, 1000)
    np.testing.assert_array_equal(after.pixels[~inside], before.pixels[~inside])
    assert after.notes == ("inpaint: filled by pix2pix, version 3 of inpaint",)
    assert Inpaint.may_alter_product


def test_without_a_champion_telea_fills_and_the_note_says_why():
    operation = parse_operation("inpaint,boxes=20 30 52 70")
    after = operation.apply(picture(), EditContext(Shelf()))
    assert after.notes == (
        "inpaint: filled by telea, as there is no champion: slot: got 'inpaint', which has no versions",
    )
    asked = parse_operation("inpaint:telea,boxes=20 30 52 70").apply(picture(), EditContext(Shelf()))
    np.testing.assert_array_equal(after.pixels, asked.pixels)


def test_a_family_that_is_asked_for_and_not_there_is_an_error():
    with pytest.raises(RegistryError, match="no versions"):
        parse_operation("inpaint:pix2pix,boxes=20 30 52 70").apply(picture(), EditContext(Shelf()))


@pytest.mark.parametrize(
    ("text", "message"),
    [("inpaint", "^region: got 'nothing'"), ("inpaint,boxes=0 0 420 310", "^region: got 'the whole picture'")],
)
def test_a_region_that_cannot_be_filled_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_operation(text).apply(picture(), EditContext(Shelf()))
