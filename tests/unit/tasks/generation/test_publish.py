"""Images as files: reproducible, numbered, each with its provenance, and none written over another's."""

import hashlib

import pytest

from models.errors import InputError
from models.exported.generator import ExportedGenerator
from tasks.generation.publish import publish
from tasks.lineage.index import Lineage
from tasks.provenance.embedded import find_own
from tasks.registry.loading import VersionInfo
from tasks.workspace.progress import NullProgress
from tasks.workspace.settings import Settings
from tests.generators import CATEGORIES, write_generator


@pytest.fixture(scope="module")
def onnx(tmp_path_factory):
    return write_generator(tmp_path_factory.mktemp("generator") / "generator.onnx")


@pytest.fixture
def make(onnx, tmp_path):
    """Publish with a version that was registered from the file."""
    names = ("family", "prepared_key", "data_md5", "validation_key", "git_commit")
    tags = {name: name for name in names} | {"onnx_sha256": hashlib.sha256(onnx.read_bytes()).hexdigest()}
    version = VersionInfo("generate-shapes", 3, "run", tags, ("champion",), "", 0, onnx)
    settings = Settings(root=tmp_path, PACKSHOT_HOME=tmp_path / "home")

    def run(folder, count=4, seed=7, category=None):
        generator = ExportedGenerator(onnx)
        return publish(settings, version, generator, count, seed, category, folder, "flow", NullProgress())

    return run


def test_the_same_seed_gives_the_same_files_however_many(make, tmp_path):
    few, many = make(tmp_path / "few", count=3), make(tmp_path / "many", count=5)
    assert [path.name for path in many.images[:3]] == [path.name for path in few.images]
    assert [path.read_bytes() for path in many.images[:3]] == [path.read_bytes() for path in few.images]
    assert make(tmp_path / "few", count=3, seed=8).images[0].read_bytes() != few.images[0].read_bytes()


def test_each_file_says_where_it_comes_from_and_is_on_record(make, tmp_path):
    made = make(tmp_path / "out", category=CATEGORIES[1])
    provenance = [find_own(path) for path in made.images]
    assert [one.index for one in provenance] == [0, 1, 2, 3]
    assert {(one.slot, one.version, one.seed, one.category) for one in provenance} == {
        ("generate-shapes", 3, 7, CATEGORIES[1])
    }
    assert find_own(made.sheet).says == "the first 4 images of seed 7 by generate-shapes@3"
    for path in (made.images[2], made.sheet):
        chain = Lineage(Settings(PACKSHOT_HOME=tmp_path / "home").home).trace(str(path))
        assert chain.focus.attributes["file"] == path.relative_to(tmp_path).as_posix()  # the checkout may move
        assert {(node.kind, node.id) for node in chain.ancestors()} >= {
            ("version", "generate-shapes@3"),
            ("flow_run", "flow"),
        }


def test_another_file_of_the_same_name_is_kept_and_named(make, tmp_path):
    made = make(tmp_path / "out")
    made.images[1].write_bytes(b"somebody else's")
    with pytest.raises(InputError, match=f"^out: got '{made.images[1]}', allowed: a name that no other file has"):
        make(tmp_path / "out")
    assert made.images[1].read_bytes() == b"somebody else's"


@pytest.mark.parametrize(("change", "field"), [({"count": 0}, "count"), ({"seed": -1}, "seed")])
def test_bounds_are_kept_before_anything_is_written(make, tmp_path, change, field):
    with pytest.raises(InputError, match=f"^{field}: got"):
        make(tmp_path / "out", **change)
    assert not (tmp_path / "out").exists()
