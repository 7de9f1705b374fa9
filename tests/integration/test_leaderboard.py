"""The leaderboard of a slot in a real MLflow: like is ranked with like; what was measured otherwise stands apart."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from models.errors import RegistryError
from tasks.leaderboard.page import build_page, cells, describe, header, publish_leaderboard
from tasks.leaderboard.ranking import build_leaderboard
from tasks.leaderboard.remeasure import measure_apart
from tasks.promotion.moves import make_champion
from tasks.registry.register import register
from tasks.workspace.progress import NullProgress
from tests.reports import make_report

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # MLflow's own models, at import


@pytest.fixture
def add(registry_settings, tracking, slot, tmp_path, write_onnx):
    """A function that registers a version whose run keeps `report`, and a contact sheet when `sheet` is true."""

    def add_version(report=None, sheet=False, **tags) -> int:
        number = len(list(tmp_path.glob("*.onnx")))
        run_id = tracking.start_or_resume_run("test", None, "run", {}, {})
        if report is not None:
            path = tmp_path / "report.json"
            path.write_text(report if isinstance(report, str) else report.model_dump_json())
            tracking.log_figure_file(run_id, path, "evaluation")
        if sheet:
            Image.fromarray(np.full((4, 4), number, np.uint8)).save(tmp_path / "contact-sheet.png")
            tracking.log_figure_file(run_id, tmp_path / "contact-sheet.png", "evaluation")
        onnx = write_onnx(tmp_path / f"{number}.onnx", float(number))
        return register(registry_settings, run_id, slot, "dcgan", onnx, model_card="card", tags=tags)

    return add_version


def order(board):
    return [(one.rank, one.version) for one in board.standings]


def test_versions_are_ranked_by_their_distance(registry_settings, slot, add):
    for distance in (30.0, 10.0, 20.0):
        add(make_report(frechet_distance=distance), parameters="1234567", latency_ms="12.5")
    make_champion(registry_settings, slot, 1, who="a test", why="a test")
    board = build_leaderboard(registry_settings, slot)
    assert order(board) == [(1, 2), (2, 3), (3, 1)]
    assert board.criterion == "frechet_distance"
    assert board.standings[2].aliases == ("champion",)
    row = dict(zip(header(board), cells(board, board.standings[0]), strict=True))
    assert (row["Fréchet distance"], row["parameters"], row["latency, ms"]) == ("10", "1,234,567", "12.5")
    assert (row["coverage"], row["near copies"]) == ("0.9", "0.00%")


def test_unequal_numbers_of_samples_are_ranked_by_the_kernel_distance(registry_settings, slot, add):
    add(make_report(frechet_distance=10.0, kernel_distance=0.9))
    add(make_report(frechet_distance=30.0, kernel_distance=0.1, samples=5000))
    board = build_leaderboard(registry_settings, slot)
    assert board.criterion == "kernel_distance"
    assert order(board) == [(1, 2), (2, 1)]


def test_few_samples_of_all_are_ranked_by_the_kernel_distance(registry_settings, slot, add):
    add(make_report(kernel_distance=0.9, samples=1000))
    add(make_report(kernel_distance=0.1, samples=1000))
    assert build_leaderboard(registry_settings, slot).criterion == "kernel_distance"


def test_versions_measured_otherwise_stand_apart_and_say_why(registry_settings, slot, add):
    add(make_report(reference="0123456789" * 6, frechet_distance=1.0))
    add(make_report(frechet_distance=50.0))
    add(None)
    add('{"of": "another form"}')
    make_champion(registry_settings, slot, 2, who="a test", why="a test")
    board = build_leaderboard(registry_settings, slot)
    assert order(board) == [(1, 2), (None, 4), (None, 3), (None, 1)]
    reasons = {one.version: one.apart for one in board.standings}
    assert reasons[1] == "measured with other held-out images, 01234567"
    assert reasons[3] == reasons[4] == "its run keeps no report that can be read"


def test_figures_of_old_versions_may_be_missing(registry_settings, slot, add):
    old = json.loads(make_report(frechet_distance=9.0).model_dump_json())
    old["figures"] = old["figures"][:1]
    del old["criterion"], old["left_out"]
    add(json.dumps(old))
    add(make_report(frechet_distance=8.0, bits_per_dimension=2.25))
    board = build_leaderboard(registry_settings, slot)
    assert order(board) == [(1, 2), (2, 1)]
    rows = [dict(zip(header(board), cells(board, one), strict=True)) for one in board.standings]
    assert [row["bits/dim"] for row in rows] == ["2.25", ""]
    assert [row["precision"] for row in rows] == ["0.9", ""]


def test_a_slot_that_was_never_measured_has_no_ranks(registry_settings, slot, add):
    add(None)
    board = build_leaderboard(registry_settings, slot)
    assert order(board) == [(None, 1)]
    assert "no version of this slot was measured" in describe(board)
    with pytest.raises(RegistryError, match="slots: "):
        build_leaderboard(registry_settings, "generate-nothing")


def test_the_page_and_the_slots_description_are_in_mlflow(registry_settings, tracking, slot, add):
    add(make_report(frechet_distance=30.0), sheet=True)
    add(make_report(frechet_distance=10.0), sheet=True)
    publish_leaderboard(registry_settings, slot)
    board = publish_leaderboard(registry_settings, slot)
    description = tracking.client.get_registered_model(slot).description
    assert description == describe(board)
    assert "| 1 | 2 | dcgan |" in description
    experiment = tracking.client.get_experiment_by_name("leaderboards").experiment_id
    runs = tracking.client.search_runs([experiment], f"tags.slot = '{slot}'")
    assert len(runs) == 1
    page = (tracking.find_files(runs[0].info.artifact_uri) / "leaderboard.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 2
    assert page.index("1. version 2") < page.index("2. version 1")


def test_markdown_keeps_its_length_and_html_its_text(registry_settings, slot, add):
    for distance in range(6):
        add(make_report(frechet_distance=float(distance)))
    board = build_leaderboard(registry_settings, slot)
    text = describe(board, most=900)
    assert len(text) <= 900
    assert "| 1 | 1 |" in text
    assert f"more: `packshot leaderboard {slot}`" in text
    board = board.model_copy(update={"slot": "<script>"})
    assert "<script>" not in build_page(board, {})


def test_only_versions_that_stand_apart_are_measured_again(registry_settings, slot, add):
    add(make_report(frechet_distance=30.0))
    add(make_report(frechet_distance=10.0))
    assert measure_apart(registry_settings, slot, NullProgress()) == build_leaderboard(registry_settings, slot)
    add(make_report(reference="0" * 64))
    with pytest.raises(RegistryError, match=f"{slot} version 3 has no data to be judged on: it was not trained here"):
        measure_apart(registry_settings, slot, NullProgress())
