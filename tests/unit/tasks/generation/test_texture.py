"""`packshot texture`: from a photograph to a PNG that says where it comes from."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from models.errors import CatalogueError, InputError
from models.imaging.filling.texture import grow_texture
from tasks.generation.texture import make_texture
from tasks.lineage.index import Lineage
from tasks.photos.xmp import SOURCE_TYPE
from tasks.provenance.embedded import find_own
from tasks.provenance.grown import TextureRecord
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file
from tests.terminal import terminal
from tests.unit.models.imaging.filling.test_texture import blobs, checks


@pytest.fixture
def packshot(tmp_path, capsys):
    with terminal(capsys, HOME=tmp_path / "home") as run:
        yield run


@pytest.fixture
def cloth(tmp_path):
    path = tmp_path / "cloth.png"
    Image.fromarray(checks(64)).save(path)
    return path


def test_the_file_is_the_texture_with_its_record(cloth, tmp_path):
    made = make_texture(cloth, 80, 4, tmp_path / "new" / "out.png")
    with Image.open(made.path) as image:
        np.testing.assert_array_equal(np.asarray(image), grow_texture(checks(64), 80, 4))
        record = json.loads(image.info[TextureRecord.chunk])
        assert SOURCE_TYPE in image.info["XML:com.adobe.xmp"]
    assert record == made.record.model_dump()
    assert record["example_sha256"] == hashlib.sha256(cloth.read_bytes()).hexdigest()
    assert (record["example"], record["size"], record["seed"]) == ("cloth.png", 80, 4)
    assert record["software"].startswith("packshot ")
    assert find_own(made.path) == made.record


def test_grey_and_turned_photographs_are_read_as_they_are_shown(tmp_path):
    tall = np.ascontiguousarray(blobs(96)[:, :72, 0])
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(np.rot90(tall)).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(tall).save(tmp_path / "upright.png")
    files = [
        make_texture(tmp_path / f"{name}.png", 64, 0, tmp_path / f"{name}-out.png") for name in ("turned", "upright")
    ]
    turned, upright = (np.asarray(Image.open(made.path)) for made in files)
    assert turned.ndim == 2
    np.testing.assert_array_equal(turned, upright)


def test_the_same_call_finds_its_own_file_and_another_keeps_away(cloth, tmp_path):
    out = tmp_path / "out.png"
    before = make_texture(cloth, 64, 0, out).path.read_bytes()
    assert make_texture(cloth, 64, 0, out).path.read_bytes() == before
    with pytest.raises(InputError, match=r"^out: got '.*out.png', allowed: a name that no other file has"):
        make_texture(cloth, 64, 1, out)
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty: 0 bytes"), (b"no image at all", "not an image, or a format that is not read")],
)
def test_a_file_that_is_no_photograph_is_named(tmp_path, content, message):
    path = tmp_path / "cloth.jpg"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=message):
        make_texture(path, 64, 0, tmp_path / "out.png")


def test_the_command_writes_and_says_so(packshot, cloth, tmp_path):
    out = tmp_path / "grown.png"
    code, said, _ = packshot("texture", str(cloth), "--size", "72", "--seed", "2", "-o", str(out))
    assert code == 0
    assert said == f"72x72 pixels of cloth.png in {out}, seamless on all sides\n"
    with Image.open(out) as image:
        assert image.size == (72, 72)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("nothing.png",), "example: got 'nothing.png', allowed: a photograph of a texture"),
        (("CLOTH", "--size", "10"), "size: got 10, allowed: 64 to 2048 pixels"),
        (("CLOTH", "--seed", "-1"), "seed: got -1, allowed: 0 to 2147483647"),
        (("CLOTH", "-o", "out.jpg"), "--out: got 'out.jpg', allowed: a file that ends in .png"),
        (("CLOTH", "-o", "CLOTH"), "out: got "),
    ],
)
def test_a_wrong_value_is_one_line_and_nothing_is_written(packshot, cloth, tmp_path, arguments, line):
    before = cloth.read_bytes()
    code, said, error = packshot("texture", *(str(cloth) if word == "CLOTH" else word for word in arguments))
    assert code == 2
    assert said == ""
    assert line in error
    assert len(error.splitlines()) == 1
    assert cloth.read_bytes() == before


def test_a_texture_leads_to_its_example_and_back(packshot, cloth, tmp_path):
    out = tmp_path / "out.png"
    assert packshot("texture", cloth, "--size", "64", "--seed", "3", "-o", out)[0] == 0
    lineage = Lineage(Settings(PACKSHOT_HOME=tmp_path / "home").home)
    chain = lineage.trace(str(out))
    assert (chain.focus.attributes["seed"], chain.focus.attributes["size"]) == (3, 64)
    assert [(edge.role, edge.parent.id) for edge in chain.up] == [("grown from", digest_file(cloth))]
    assert digest_file(out) in lineage.trace(str(cloth)).to_json()
