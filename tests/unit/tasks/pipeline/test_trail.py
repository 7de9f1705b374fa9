"""The trail of a training: data, judgement, prepared set, and what the run started from."""

from pathlib import Path

import pytest

from models.training.speed import SpeedPlan
from tasks.dataset.validate import ValidationReport
from tasks.lineage.index import Lineage
from tasks.pipeline.trail import record_data, record_prepared, record_run, record_validation
from tasks.training.result import FitResult
from tasks.versions.resolution import CatalogueVersion
from tasks.workspace.settings import Settings
from tests.prepared import write_prepared

MD5 = "d" * 32
RUN = "a" * 32


@pytest.fixture
def settings(tmp_path):
    return Settings(root=tmp_path)


@pytest.fixture
def data(tmp_path):
    return CatalogueVersion("shop", MD5, tmp_path / "shop", images=40, bytes=12_345, revision="working tree")


@pytest.fixture
def report():
    return ValidationReport(
        key="b" * 32, success=True, suite="photos", suite_digest="s", evaluated=40, checks=[], failures=[],
        quarantined=["sku-1"], data_docs=Path("docs"), contact_sheet=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("trail") / "prepared", catalogue="shop")


def fitted(**changes):
    values = {"key": "f" * 32, "family": "dcgan", "folder": Path("training"), "run_id": RUN, "steps": 120}
    values |= {"best_step": 90, "criterion": "validation_distance", "best_value": 21.5, "seconds": 7.0}
    values |= {"images_per_second": 340.0, "export_difference": 1e-6, "onnx_sha256": "c" * 64}
    values |= {"plan": SpeedPlan(precision="32-true", memory_format="contiguous")}
    return FitResult(**(values | changes))


def ancestors(settings, name):
    return {(node.kind, node.id) for node in Lineage(settings.home).trace(name).ancestors()}


def test_a_run_leads_back_through_the_prepared_set_to_the_data(settings, data, report, prepared):
    record_data(settings.home, data)
    record_validation(settings.home, data, report)
    record_prepared(settings.home, prepared, data, report)
    record_run(settings.home, fitted(), prepared, {"git_commit": "e" * 40, "prefect_flow_run": "1" * 36})
    assert ancestors(settings, RUN) == {
        ("prepared", prepared.key),
        ("validation", "b" * 32),
        ("data", MD5),
        ("commit", "e" * 40),
        ("flow_run", "1" * 36),
    }
    index = Lineage(settings.home)
    assert index.trace(MD5).focus.attributes == {"catalogue": "shop", "images": 40, "bytes": 12_345}
    assert index.trace("b" * 32).focus.attributes == {"suite": "photos", "result": "passed", "quarantined": 1}
    assert index.trace(prepared.key).focus.attributes == {"shape": "32x32x1", "images": 96}
    assert index.trace(RUN).focus.attributes == {"family": "dcgan", "updates": 120, "recipe": "f" * 32}


def test_a_failed_judgement_says_so(settings, data, report):
    record_validation(settings.home, data, report.model_copy(update={"success": False}))
    assert Lineage(settings.home).trace("b" * 32).focus.attributes["result"] == "failed"


@pytest.mark.parametrize(
    ("start", "above"),
    [
        ("models:/generate-shop/4", ("version", "generate-shop@4")),
        ("weights/networks.safetensors", ("weights", "9" * 64)),
    ],
)
def test_a_run_leads_to_the_weights_that_it_started_from(settings, prepared, start, above):
    record_run(settings.home, fitted(init_from=start, init_sha256="9" * 64), prepared, {})
    assert ancestors(settings, RUN) == {("prepared", prepared.key), above}
