"""A training's result on its way to the registry: its tags, its figures' names and its trail."""

import pytest

from models.training.speed import SpeedPlan
from tasks.dataset.validate import ValidationReport
from tasks.evaluation.report import Figure
from tasks.lineage.index import Lineage
from tasks.pipeline.candidate import Candidate
from tasks.promotion.registration import metric_name, record_version, tag_version
from tasks.training.result import FitResult
from tasks.workspace.settings import Settings
from tests.generators import LATENT, SIDE, write_generator
from tests.prepared import write_prepared
from tests.reports import make_report


@pytest.mark.parametrize(
    ("category", "name"),
    [(None, "recall"), ("bag", "recall_of/bag"), ("T-shirt/top (¼)", "recall_of/T_shirt_top_"), ("包", "recall_of/_")],
)
def test_figures_have_names_that_mlflow_takes(category, name):
    assert metric_name(Figure(name="recall", value=0.5, category=category, higher_is_better=True)) == name


def test_a_version_leads_to_its_run_its_report_and_the_prepared_set(tmp_path):
    settings = Settings(PACKSHOT_HOME=tmp_path / "home")
    record_version(settings.home, "generate-shop", 3, "a" * 32, "o" * 64, make_report())
    trace = Lineage(settings.home).trace("generate-shop@3")
    assert trace.focus.attributes == {"family": "dcgan", "onnx_sha256": "o" * 64}
    assert {(edge.child.kind, edge.role, edge.parent.kind) for edge in trace.up} == {
        ("version", "registered from", "run"),
        ("version", "judged by", "report"),
        ("report", "evaluation of", "run"),
        ("report", "measured on", "prepared"),
    }
    assert Lineage(settings.home).trace("k" * 32).focus.attributes == {"frechet_distance": 20.0}


def test_a_version_is_tagged_with_where_it_comes_from_and_what_it_costs(tmp_path):
    onnx = write_generator(tmp_path / "generator.onnx")
    fitted = FitResult(
        key="f" * 32, family="dcgan", folder=tmp_path, run_id="a" * 32, steps=9, best_step=3, criterion="c",
        best_value=1.0, seconds=70.4, images_per_second=340.0, export_difference=1e-6, onnx_sha256="o" * 64,
        plan=SpeedPlan(precision="32-true", memory_format="contiguous"),
    )  # fmt: skip
    validation = ValidationReport(
        key="v" * 32, success=False, suite="photos", suite_digest="s", evaluated=40, checks=[], failures=[],
        quarantined=[], data_docs=tmp_path, contact_sheet=None,
    )  # fmt: skip
    prepared = write_prepared(tmp_path / "prepared", catalogue="shop")
    tags = tag_version(Candidate(fitted, make_report(), prepared, validation, {"git_commit": "e" * 40}))
    assert tags == {
        "git_commit": "e" * 40,
        "catalogue": "shop",
        "data_md5": "d" * 32,
        "prepared_key": "p" * 32,
        "validation_key": "v" * 32,
        "validation_success": "false",
        "recipe": "f" * 32,
        "reference_digest": "r" * 64,
        "extractor_digest": "e" * 64,
        "parameters": str(LATENT * SIDE**2 + 3 * SIDE**2 + 4),
        "megabytes": f"{onnx.stat().st_size / 1e6:.2f}",
        "training_seconds": "70",
    }
