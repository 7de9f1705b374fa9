"""The flow `edit` with a real Prefect server: a folder edited, shown on the run's page, and traced by the index."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness

from flows.edit import edit
from tasks.editing.parsing import parse_operation
from tasks.lineage.index import Lineage
from tasks.provenance.embedded import find_own
from tasks.workspace.settings import Settings
from tests.workshop import STARTUP_SECONDS


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(server_startup_timeout=STARTUP_SECONDS):
        patch.setenv("PACKSHOT_HOME", str(tmp_path_factory.mktemp("home")))
        yield Settings()


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos" / "shoes"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(5):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return tmp_path / "photos"


def test_a_folder_is_edited_as_one_run_that_can_be_started_again(settings, photos, tmp_path):
    asked = {
        "source": str(photos),
        "operations": [{"op": "degrade", "kind": "blur", "amount": 1.0}],  # as Prefect's page sends them
        "out": str(tmp_path / "out"),
        "form": "jpg",
        "measured": False,
    }
    result = edit(**asked)
    assert (result.edited, result.broken, result.kept) == (5, 1, 0)
    assert sorted(path.name for path in (tmp_path / "out" / "shoes").iterdir()) == [f"{n}.jpg" for n in range(5)]
    assert find_own(tmp_path / "out" / "shoes" / "0.jpg").steps[0].parameters["kind"] == "blur"
    again = edit(**asked)
    assert (again.edited, again.kept) == (0, 5)
    assert result.table.read_text().count("\n") == 7

    with get_client(sync_client=True) as client:
        artifacts = client.read_artifacts()
    progress = [one.data for one in artifacts if one.key == "progress-edit"]
    assert progress == [100.0, 100.0]
    described = [one.description for one in artifacts if one.key == "left-out"]
    assert any(text.startswith("5 edited, 1 broken in ") for text in described)

    above = Lineage(settings.home).trace(str(tmp_path / "out" / "shoes" / "3.jpg")).ancestors()
    assert sorted(node.kind for node in above) == [
        "flow_run",
        "image",
    ]  # the run that made it, not the one that kept it


def test_the_flow_takes_operations_as_the_command_line_makes_them(settings, photos, tmp_path):
    operations = (parse_operation("degrade:grayscale"), parse_operation("degrade:noise,amount=3"))
    result = edit(source=str(photos), operations=operations, out=str(tmp_path / "out"), measured=False)
    assert result.edited == 5
    with Image.open(tmp_path / "out" / "shoes" / "1.png") as image:
        assert image.size == (30, 20)
