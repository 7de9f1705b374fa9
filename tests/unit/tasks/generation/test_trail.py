"""The trail of generated images and grown textures."""

import pytest

from tasks.generation.texture import GrownTexture
from tasks.generation.trail import GeneratedImage, record_images, record_texture
from tasks.lineage.index import Lineage
from tasks.provenance.generated import Provenance
from tasks.provenance.grown import TextureRecord
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file

VALUES = {name: name for name in ("family", "run_id", "prepared_key", "data_md5", "validation_key", "onnx_sha256")}


@pytest.fixture
def settings(tmp_path):
    return Settings(root=tmp_path)


def provenance(index):
    about = {"slot": "generate-shop", "version": 2, "seed": 7, "index": index, "category": "bag"}
    return Provenance(**VALUES, **about, git_commit="", software="packshot 1")


def test_each_image_leads_to_its_version_and_run(settings, tmp_path):
    images = []
    for index in range(3):
        path = tmp_path / f"{index}.png"
        path.write_bytes(b"pixels %d" % index)
        images.append(GeneratedImage(path, digest_file(path), provenance(index)))
    record_images(settings, images, "f" * 36)
    trace = Lineage(settings.home).trace(str(images[1][0]))
    assert trace.focus.id == digest_file(images[1][0])
    assert trace.focus.attributes == {
        "file": "1.png", "seed": 7, "index": 1, "category": "bag", "software": "packshot 1",
    }  # fmt: skip
    assert {(node.kind, node.id) for node in trace.ancestors()} == {
        ("version", "generate-shop@2"),
        ("flow_run", "f" * 36),
    }
    assert Lineage(settings.home).trace("generate-shop@2").images[("version", "generate-shop@2")].total == 3


def test_images_made_outside_of_a_flow_lead_to_their_version_alone(settings, tmp_path):
    (tmp_path / "a.png").write_bytes(b"pixels")
    record_images(settings, [GeneratedImage(tmp_path / "a.png", digest_file(tmp_path / "a.png"), provenance(0))], "")
    assert [node.kind for node in Lineage(settings.home).trace(str(tmp_path / "a.png")).ancestors()] == ["version"]


def test_a_texture_leads_to_its_example(settings, tmp_path):
    example, out = tmp_path / "cloth.jpg", tmp_path / "cloth-texture.png"
    example.write_bytes(b"cloth")
    out.write_bytes(b"more cloth")
    record = TextureRecord(
        example="cloth.jpg", example_sha256=digest_file(example), size=512, seed=3, software="packshot 1"
    )
    record_texture(settings, example, GrownTexture(path=out, sha256=digest_file(out), record=record))
    trace = Lineage(settings.home).trace(str(out))
    assert (trace.focus.attributes["size"], trace.focus.attributes["seed"]) == (512, 3)
    assert [(node.kind, node.id) for node in trace.ancestors()] == [("image", digest_file(example))]
