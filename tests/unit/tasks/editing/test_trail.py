"""An edited photograph's trail: its original, the networks and files that it was made by, and the run."""

import pytest

from tasks.editing.job import EditJob
from tasks.editing.journal import Asked, Entry
from tasks.editing.table import Row
from tasks.editing.trail import EditedFile, record_edits
from tasks.lineage.index import Lineage
from tasks.operations.degrade import Degrade
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file

ORIGINAL, RESULT = "1" * 64, "2" * 64


@pytest.fixture
def settings(tmp_path):
    return Settings(root=tmp_path)


@pytest.fixture
def mask(tmp_path):
    path = tmp_path / "mask.png"
    path.write_bytes(b"only its digest counts")
    return path


def entry(**changes):
    row = Row(
        input="a.jpg", output="a.png", status="edited", input_sha256=ORIGINAL, output_sha256=RESULT,
        operations="degrade:grayscale", may_alter_product=True, source_type="http://example.org/enhanced",
    )  # fmt: skip
    values = {"key": "k", "row": row, "networks": (), "software": "packshot 1", "created": "2026-01-01T00:00:00Z"}
    return Entry(**(values | changes))


def test_a_result_leads_to_its_original_its_networks_its_files_and_its_run(settings, mask, tmp_path):
    plan = EditJob(operations=(Degrade(kind="grayscale", region={"mask": str(mask)}),), seed=7).plan()
    networks = (Asked(slot="inpaint", family=None, version=3), Asked(slot="upscale-x2", family="espcn", version=1))
    made = entry(networks=networks, flow_run="f" * 36)
    record_edits(settings, plan, [EditedFile(tmp_path / "a.jpg", tmp_path / "a.png", made)])
    trace = Lineage(settings.home).trace(RESULT)
    assert {(node.kind, node.id) for node in trace.ancestors()} == {
        ("image", ORIGINAL),
        ("image", digest_file(mask)),
        ("version", "inpaint@3"),
        ("version", "upscale-x2@1"),
        ("flow_run", "f" * 36),
    }
    roles = {edge.parent.id: edge.role for edge in trace.up}
    assert (roles[ORIGINAL], roles["inpaint@3"], roles[digest_file(mask)]) == ("edited from", "edited by", "mask")
    assert trace.focus.attributes == {
        "file": "a.png",
        "operations": "degrade:grayscale",
        "may_alter_product": "yes",
        "source_type": "http://example.org/enhanced",
        "seed": 7,
        "software": "packshot 1",
    }


def test_an_edit_by_hand_has_its_original_alone(settings, tmp_path):
    plan = EditJob(operations=(Degrade(kind="grayscale"),)).plan()
    record_edits(settings, plan, [EditedFile(tmp_path / "a.jpg", tmp_path / "a.png", entry())])
    assert [node.id for node in Lineage(settings.home).trace(RESULT).ancestors()] == [ORIGINAL]
    record_edits(settings, plan, [])
