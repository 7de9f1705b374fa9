"""What an edited file says of itself: the record comes back from every format, and a generated picture stays one."""

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError
from tasks.photos.picture import Picture
from tasks.photos.writing import encode_picture
from tasks.provenance.edited import (
    CHUNK,
    COMPOSITE,
    ENHANCED,
    GENERATED,
    EditRecord,
    StepRecord,
    UsedNetwork,
    find_record,
    fit,
    judge_source_type,
    to_texts,
)

NETWORK = UsedNetwork(slot="inpaint", version=3, family="pix2pix")


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
    path.write_bytes(encode_picture(Picture(pixels), suffix, records=to_texts(made)).content)
    assert find_record(path) == made
    with Image.open(path) as image:
        packet = image.info["xmp"]
    assert ENHANCED.encode() in packet


def test_files_without_a_record_have_none_and_a_damaged_one_is_named(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "plain.jpg").write_bytes(encode_picture(Picture(pixels), ".jpg").content)
    assert find_record(tmp_path / "text.png") is None
    assert find_record(tmp_path / "plain.jpg") is None
    (tmp_path / "bad.png").write_bytes(encode_picture(Picture(pixels), ".png", records={CHUNK: "{}"}).content)
    with pytest.raises(InputError, match=r"provenance: got '.*bad.png', allowed: a whole record"):
        find_record(tmp_path / "bad.png")


@pytest.mark.parametrize(
    ("steps", "before", "after"),
    [
        ([step("enhance")], "", ENHANCED),
        ([step("upscale", NETWORK)], "", ENHANCED),
        ([step("inpaint")], "", ENHANCED),  # by a classical method: nothing that a network made up
        ([step("inpaint", NETWORK), step("enhance")], "", COMPOSITE),
        ([step("stylize")], "", COMPOSITE),
        ([step("colorize", NETWORK)], "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", COMPOSITE),
        ([step("enhance")], COMPOSITE, COMPOSITE),
        ([step("stylize")], GENERATED.replace("http:", "https:"), GENERATED),
    ],
)
def test_the_source_type_says_the_most_that_a_machine_made(steps, before, after):
    assert judge_source_type(steps, before) == after


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
    assert len(to_texts(short)[CHUNK]) < 1000
    assert short.is_same_making(fit(long))
    assert not short.is_same_making(fit(record(step("degrade", polygons=[[i, 0] for i in range(20_000)]))))
    assert fit(record(step("degrade", amount=1))) == record(step("degrade", amount=1))
