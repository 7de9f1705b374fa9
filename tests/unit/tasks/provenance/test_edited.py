"""What an edited file says of itself: the record comes back from every format, and a generated picture stays one."""

import html

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError
from tasks.photos.picture import Picture
from tasks.photos.writing import encode_picture
from tasks.provenance.edited import LONGEST, EditRecord, StepRecord, UsedNetwork, fit
from tasks.provenance.embedded import find_own
from tasks.provenance.source_type import COMPOSITE, ENHANCED, GENERATED, judge_source_type
from tests.generators import GENERATED_BY

PARTS, ALL = "compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"
NETWORK = UsedNetwork(slot="inpaint", version=3, family="pix2pix")


class Told:
    """A record of the texts that it is given."""

    def __init__(self, **texts):
        self.given = texts

    def texts(self):
        return self.given


def step(op, *networks, **parameters):
    return StepRecord(op=op, parameters=parameters, may_alter_product=False, networks=networks)


def record(*steps, **changes):
    given = {"input_sha256": "1" * 64, "steps": steps, "written": {"format": "png"}, "seed": 3, "source_type": ENHANCED}
    return EditRecord(**{**given, "may_alter_product": True, "software": "packshot 0.1.0", **changes})


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_the_record_and_the_source_type_come_back_from_every_format(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    made = record(step("enhance", text='<é 包 & "quotes">', amount=0.5), step("inpaint", NETWORK))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encode_picture(Picture(pixels), suffix, made).content)
    assert find_own(path) == made
    with Image.open(path) as image:
        packet = image.info["xmp"]
    assert ENHANCED.encode() in packet


def test_files_without_a_record_have_none_and_a_damaged_one_is_named(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "plain.jpg").write_bytes(encode_picture(Picture(pixels), ".jpg", Told()).content)
    assert find_own(tmp_path / "text.png") is None
    assert find_own(tmp_path / "plain.jpg") is None
    (tmp_path / "bad.png").write_bytes(
        encode_picture(Picture(pixels), ".png", Told(**{EditRecord.chunk: "{}"})).content
    )
    with pytest.raises(InputError, match=r"provenance: got '.*bad.png', allowed: a whole record"):
        find_own(tmp_path / "bad.png")


@pytest.mark.parametrize(
    ("markings", "before", "after"),
    [
        (["none"], "", ENHANCED),
        ([ALL, "none"], "", GENERATED),
        ([PARTS, "none"], "", COMPOSITE),
        ([PARTS], "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", COMPOSITE),
        (["none"], COMPOSITE, COMPOSITE),
        ([PARTS], GENERATED.replace("http:", "https:"), GENERATED),
    ],
)
def test_the_source_type_says_the_most_that_a_machine_made(markings, before, after):
    assert judge_source_type(markings, before) == after


def test_the_same_making_is_known_whatever_version_did_it():
    made = record(step("inpaint", NETWORK, amount=1))
    assert made.is_same_making(record(step("inpaint", amount=1), source_type=GENERATED, software="packshot 9"))
    for other in (
        record(step("inpaint", amount=2)),
        record(step("enhance", amount=1)),
        record(step("inpaint", amount=1), input_sha256="2" * 64),
        record(step("inpaint", amount=1), written={"format": "jpg"}),
        record(step("inpaint", amount=1), seed=4),
    ):
        assert not made.is_same_making(other)


def test_parameters_that_no_file_can_hold_stand_by_their_digest():
    long = record(step("degrade", polygons=[[i, i] for i in range(20_000)]))
    short = fit(long)
    assert len(short.to_json()) < 1000
    assert short.is_same_making(fit(long))
    assert not short.is_same_making(fit(record(step("degrade", polygons=[[i, 0] for i in range(20_000)]))))
    assert fit(record(step("degrade", amount=1))) == record(step("degrade", amount=1))


def edits_of(ancestor, count, **parameters):
    """`count` edits, one of the result of the other."""
    made = ancestor
    for number in range(count):
        made = fit(record(step("enhance", NETWORK, **parameters), input_sha256=f"{number:064d}", ancestor=made))
    return made


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_what_the_original_said_stays_as_ancestor(tmp_path, suffix):
    made = edits_of(GENERATED_BY, 3)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encode_picture(Picture(np.zeros((4, 4, 3), np.uint8)), suffix, made).content)
    assert find_own(path) == find_own(path.read_bytes()) == made
    assert made.generated_by == "generate-bags version 3"
    assert made.says.endswith("which was generate-bags@3, seed 1")
    assert [(link.kind, link.parent, link.role) for link in made.links("f" * 64) if link.role != "edited by"] == [
        ("image", f"{2:064d}", "edited from"),
        ("image", f"{1:064d}", "edited from"),
        ("image", f"{0:064d}", "edited from"),
        ("version", "generate-bags@3", "generated by"),
    ]
    assert [link.child for link in made.links("f" * 64)][-1] == f"{0:064d}"


def test_more_ancestors_than_a_file_can_hold_lose_the_eldest():
    many = edits_of(GENERATED_BY, 200, note="x" * 400)
    assert len(html.escape(many.to_json())) <= LONGEST
    parents = [link.parent for link in many.links("f" * 64) if link.kind == "image"]
    assert parents == [f"{number:064d}" for number in range(199, 199 - len(parents), -1)]
    assert len(parents) > 50
