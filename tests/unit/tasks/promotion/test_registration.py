"""A training's result on its way to the registry: its slot, its figures' names and its trail."""

import pytest

from models.training.initial import write_networks
from tasks.evaluation.report import Figure
from tasks.lineage.index import Lineage
from tasks.promotion.registration import metric_name, record_version, slot_of_fitted
from tasks.workspace.settings import Settings
from tests.reports import make_report
from tests.trainings import build_family


class Fitted:
    """What a slot takes from a finished training."""

    def __init__(self, family, onnx=None):
        self.family, self.onnx = family, onnx


class Prepared:
    catalogue = "shop"


def test_generators_of_a_catalogue_compete_for_its_slot():
    assert slot_of_fitted(Fitted("dcgan"), Prepared()) == "generate-shop"


def test_an_editing_networks_slot_is_what_its_file_says(tmp_path):
    from models.exported.editor import export_restoration

    family = build_family("espcn", 3, scale=4)
    weights = {f"generator.{name}": value for name, value in family.generator.state_dict().items()}
    export_restoration(family, write_networks(tmp_path, weights), tmp_path / "generator.onnx")
    assert slot_of_fitted(Fitted("espcn", tmp_path / "generator.onnx"), Prepared()) == "upscale-x4"


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
    assert [(edge.child.kind, edge.role, edge.parent.kind) for edge in trace.up] == [
        ("version", "registered from", "run"),
        ("version", "judged by", "report"),
        ("report", "evaluation of", "run"),
        ("report", "measured on", "prepared"),
    ]
    assert Lineage(settings.home).trace("k" * 32).focus.attributes == {"frechet_distance": 20.0}
