"""One photograph edited: read once, on record as it was read, and with what it said of itself as ancestor."""

import hashlib
from typing import ClassVar, Literal

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError, RegistryError
from tasks.editing import batch, photo
from tasks.editing.job import EditJob
from tasks.editing.photo import edit_on_record, edit_photo
from tasks.lineage.index import Lineage
from tasks.operations.contract.operation import Operation
from tasks.operations.contract.region import Region
from tasks.operations.degrade import Degrade
from tasks.photos.photo_file import load_photo
from tasks.photos.picture import Picture
from tasks.photos.writing import encode_picture
from tasks.provenance.edited import EditRecord
from tasks.provenance.embedded import find_own
from tasks.provenance.source_type import COMPOSITE, GENERATED, Marking
from tasks.workspace.progress import NullProgress
from tasks.workspace.settings import Settings
from tests.unit.tasks.provenance.test_edited import GENERATED_BY, Told

GREY = EditJob(operations=(Degrade(kind="grayscale", amount=0),), measured=False)


class Nothing:
    def network(self, slot, family=None):
        raise RegistryError(f"slot: got {slot!r}, which has no versions")


class Painted(Operation):
    """Says that a network made parts of it."""

    title: ClassVar[str] = "Painted"
    may_alter_product: ClassVar[bool] = True
    marking: ClassVar[Marking] = "compositeWithTrainedAlgorithmicMedia"
    op: Literal["painted"] = "painted"

    def apply(self, picture, context):
        return picture


def draw(path, level):
    Image.new("RGB", (12, 9), (level, level, level)).save(path)
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def swapped(tmp_path, monkeypatch):
    """A folder with a photograph that becomes another while its result's place is looked at."""
    (tmp_path / "photos").mkdir()
    source = draw(tmp_path / "photos" / "a.png", 10)
    before, look = digest(source), photo.check_free

    def look_and_swap(*arguments):
        draw(source, 200)
        return look(*arguments)

    monkeypatch.setattr(photo, "check_free", look_and_swap)
    return source, before


def assert_made_of_the_first(out, before, row):
    with Image.open(out) as image:
        assert image.getpixel((3, 3)) == (10, 10, 10)
    assert find_own(out).input_sha256 == row.input_sha256 == before


def test_a_photograph_that_changes_meanwhile_is_recorded_as_it_was_read(swapped, tmp_path):
    source, before = swapped
    row = edit_photo(GREY.plan(), load_photo(source), tmp_path / "out.png", Nothing()).row
    assert digest(source) != before
    assert_made_of_the_first(tmp_path / "out.png", before, row)


def test_journal_record_and_lineage_of_a_batch_name_the_same_bytes(swapped, tmp_path):
    source, before = swapped
    settings, out = Settings(PACKSHOT_HOME=tmp_path / "home"), tmp_path / "out"
    assert batch.edit_folder(settings, GREY, source.parent, out, Nothing(), NullProgress()).edited == 1
    with batch.Journal(out / batch.STATE / "journal.jsonl") as journal:
        key = batch.digest_json(["a.png", before, GREY.plan().digest])
        entry = journal.find(key)
    assert_made_of_the_first(out / "a.png", before, entry.row)
    assert [node.id for node in Lineage(settings.home).trace(str(out / "a.png")).ancestors()] == [before]


def test_a_mask_that_changes_meanwhile_is_refused(tmp_path):
    source, mask = draw(tmp_path / "a.png", 10), draw(tmp_path / "mask.png", 255)
    plan = EditJob(operations=(Degrade(kind="blur", region=Region(mask=str(mask))),), measured=False).plan()
    draw(mask, 250)
    with pytest.raises(InputError, match=r"^mask: got '.*mask.png', allowed: a file that stays as it is"):
        edit_photo(plan, load_photo(source), tmp_path / "out.png", Nothing())
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("operations", [(), (Degrade(kind="blur"),), (Painted(),)], ids=["anew", "blur", "painted"])
def test_a_generated_picture_keeps_its_record_and_its_mark(tmp_path, suffix, operations):
    source, out = tmp_path / "a.png", tmp_path / f"out{suffix}"
    source.write_bytes(encode_picture(Picture(np.zeros((9, 12, 3), np.uint8)), ".png", GENERATED_BY).content)
    job = EditJob(operations=operations, form=suffix[1:], measured=False)
    settings = Settings(PACKSHOT_HOME=tmp_path / "home")
    made = edit_on_record(settings, job.plan(), load_photo(source), out, Nothing())
    record = find_own(out)
    assert isinstance(record, EditRecord)
    assert record.ancestor == GENERATED_BY
    assert record.source_type == GENERATED
    assert made.row.source_type == "trainedAlgorithmicMedia"
    above = {(node.kind, node.id) for node in Lineage(settings.home).trace(str(out)).ancestors()}
    assert above == {("image", digest(source)), ("version", "generate-bags@3")}


def test_a_photograph_is_marked_by_what_was_done_and_left_alone_when_written_anew(tmp_path):
    source, stated = draw(tmp_path / "a.png", 10), "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    captured = tmp_path / "b.png"
    told = Told(DigitalSourceType=stated)
    captured.write_bytes(encode_picture(Picture(np.zeros((9, 12, 3), np.uint8)), ".png", told).content)
    for path, operations, marked in ((source, (), ""), (captured, (), stated), (captured, (Painted(),), COMPOSITE)):
        out = tmp_path / f"{path.stem}-{len(operations)}.jpg"
        edit_photo(EditJob(operations=operations, form="jpg", measured=False).plan(), load_photo(path), out, Nothing())
        assert find_own(out).marked == marked


def test_a_damaged_record_of_the_original_is_said_and_the_edit_is_done(tmp_path):
    source = tmp_path / "a.png"
    told = Told(**{EditRecord.chunk: "{}"})
    source.write_bytes(encode_picture(Picture(np.zeros((9, 12, 3), np.uint8)), ".png", told).content)
    made = edit_photo(GREY.plan(), load_photo(source), tmp_path / "out.png", Nothing())
    assert "its own record was left out: provenance: got " in made.row.notes
    assert find_own(tmp_path / "out.png").ancestor is None
