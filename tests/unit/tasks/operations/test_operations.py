"""What every operation promises, asked of each that there is; the networks are those that come with Packshot."""

import json
from typing import get_args

import cv2
import numpy as np
import pytest
from PIL import Image

from models.errors import RegistryError
from models.exported.editor import ExportedRestoration
from tasks.editing.job import EditJob
from tasks.editing.parsing import build_operation, describe_parameters, parse_operation
from tasks.editing.photo import edit_photo
from tasks.operations.contract.discovery import list_operations, load_operation
from tasks.operations.contract.operation import EditContext, Operation, Stage
from tasks.photos.photo_file import load_photo
from tasks.photos.picture import Picture
from tasks.photos.reading import read_picture
from tasks.provenance.embedded import find_own
from tasks.provenance.source_type import ENHANCED, TERMS, Marking
from tasks.workspace.settings import SOURCE

OPERATIONS = list_operations()
KINDS = ("RGB", "RGBA", "sixteen bits")


class Shipped(ExportedRestoration):
    """A network that comes with Packshot."""

    def __init__(self, slot, path):
        super().__init__(path, threads=1)
        self.slot, self.version, self.family = slot, 1, path.stem.removeprefix(f"{slot}-")


class Shelf:
    """The networks that come with Packshot, by slot and family."""

    def network(self, slot, family=None):
        found = sorted((SOURCE / "models" / "weights").glob(f"{slot}-{family or '*'}.onnx"))
        if not found:
            raise RegistryError(f"slot: got {slot!r}, which has no versions")
        return Shipped(slot, found[0])


@pytest.fixture(scope="module")
def networks():
    return Shelf()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A product of 48 x 40 pixels, as each kind of file has it."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = np.full((40, 48, 3), (236, 230, 224), np.uint8)
    cv2.rectangle(pixels, (14, 8), (34, 32), (40, 70, 150), -1)
    pixels[20:24, 14:34] = (200, 40, 40)
    alpha = np.zeros((40, 48), np.uint8)
    alpha[6:34, 12:36] = 255
    paths = {kind: folder / f"{kind}.png" for kind in KINDS}
    Image.fromarray(pixels).save(paths["RGB"])
    Image.fromarray(np.dstack((pixels, alpha))).save(paths["RGBA"])
    cv2.imwrite(str(paths["sixteen bits"]), pixels[..., ::-1].astype(np.uint16) * 257)
    return paths


def example(name):
    return parse_operation(load_operation(name).example or name)


def apply(operation, picture, networks, seed=0):
    return operation.apply(picture, EditContext(networks, seed))


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_says_what_it_is(name):
    operation = load_operation(name)
    assert issubclass(operation, Operation)
    assert operation.model_fields["op"].default == name
    assert operation.title
    assert "\n" not in operation.title
    assert operation.value_field is None or operation.value_field in operation.model_fields
    assert operation.stage in get_args(Stage)
    assert operation.model_config["frozen"]
    assert operation.model_config["extra"] == "forbid"
    assert operation.__doc__ != Operation.__doc__


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_is_described(name):
    rows = describe_parameters(name)
    assert all(allowed and said for _, allowed, _, said in rows), rows
    fields = load_operation(name).model_fields
    assert all(field.description for key, field in fields.items() if key != "op")


@pytest.mark.parametrize("name", OPERATIONS)
def test_its_defaults_are_valid_and_text_and_json_give_the_same(name):
    operation = example(name)
    again = build_operation(json.loads(operation.model_dump_json()))
    assert again == operation
    fields = type(operation).model_fields
    required = {key: getattr(operation, key) for key, field in fields.items() if field.is_required()}
    defaults = type(operation)(**required)
    assert build_operation(json.loads(defaults.model_dump_json())) == defaults


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_it_edits_a_picture_and_keeps_its_promises(name, kind, pictures, networks):
    operation, before = example(name), read_picture(pictures[kind]).picture
    original = before.pixels.copy()
    after = apply(operation, before, networks)
    assert isinstance(after, Picture)
    assert after.pixels.dtype == np.uint8
    assert after.pixels.shape == (after.height, after.width, 3)
    np.testing.assert_array_equal(before.pixels, original)
    assert after.notes[: len(before.notes)] == before.notes
    if operation.keeps_size:
        assert (after.height, after.width, after.placement) == (before.height, before.width, before.placement)
    if after.alpha is not None:
        assert after.alpha.shape == (after.height, after.width)
    if operation.keeps_alpha:
        assert (after.alpha is None) is (before.alpha is None)
        if operation.keeps_size and before.alpha is not None:
            np.testing.assert_array_equal(after.alpha, before.alpha)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_same_seed_gives_the_same_pixels(name, pictures, networks):
    operation, picture = example(name), read_picture(pictures["RGB"]).picture
    first, second = (apply(operation, picture, networks, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("name", OPERATIONS)
def test_its_result_is_on_record_and_marked(name, pictures, networks, tmp_path):
    operation = example(name)
    plan, out = EditJob(operations=(operation,), measured=False).plan(), tmp_path / "out.png"
    made = edit_photo(plan, load_photo(pictures["RGB"]), out, networks)
    record = find_own(out)
    assert [step.op for step in record.steps] == [name]
    assert record.steps[0].may_alter_product is operation.may_alter_product
    assert record.input_sha256 == load_photo(pictures["RGB"]).sha256
    assert operation.marking in get_args(Marking)
    marking = operation.mark(by_network=bool(made.networks))
    assert record.source_type == (ENHANCED if marking == "none" else TERMS + marking)
