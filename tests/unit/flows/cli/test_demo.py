"""The demo's last words: figures beside those of real images, and where to look."""

from pathlib import Path

import pytest

from flows.cli.demo import short, show_places, show_quality
from tasks.evaluation.report import Figure
from tasks.pipeline.outcome import TrainOutcome
from tasks.workspace.settings import Settings
from tests.reports import make_report


def test_only_figures_that_were_measured_are_quoted(capsys):
    figures = [
        Figure(name="frechet_distance", value=21.456, spread=0.25, floor=1.5, higher_is_better=False),
        Figure(name="coverage", value=0.91, floor=0.99, higher_is_better=True),
        Figure(name="latency", value=3.0, floor=1.0, higher_is_better=False),
    ]
    show_quality(make_report().model_copy(update={"figures": figures}))
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert " ".join(text.split()).startswith("10,000 generated against 10,000 held-out images figure generated real")
    rows = [line.split() for line in lines if "." in line]
    assert rows == [["frechet", "distance", "21.46", "±", "0.25", "1.5"], ["coverage", "0.91", "0.99"]]


@pytest.fixture
def outcome(tmp_path):
    return TrainOutcome(
        slot="generate-shop", version=3, promoted=True, verdict="promoted", run_id="r" * 32, flow_run="f" * 36,
        data_md5="d" * 32, data_docs=tmp_path / "docs" / "index.html", onnx=tmp_path / "generator.onnx",
        report=tmp_path / "report.json", lines=[],
    )  # fmt: skip


def test_each_place_can_be_opened_from_here(outcome, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "packshots" / "demo-v3"
    folder.mkdir(parents=True)
    for name in ("seed7-00000.png", "seed7-00001.png", "seed7-sheet.png"):
        (folder / name).touch()
    monkeypatch.chdir(tmp_path)
    show_places(Settings(root=tmp_path, mlflow_port=5001, prefect_port=4201), outcome, folder)
    text = capsys.readouterr().out
    for place in (
        "packshots/demo-v3/seed7-sheet.png",
        "docs/index.html",
        f"http://127.0.0.1:5001/#/runs/{'r' * 32}",
        f"http://127.0.0.1:4201/runs/flow-run/{'f' * 36}",
        ".venv/bin/packshot lineage packshots/demo-v3/seed7-00000.png",
    ):
        assert place in text
    assert str(tmp_path) not in text


def test_a_path_elsewhere_stays_whole():
    assert short(Path("/shop/a.png"), Path("/shop")) == "a.png"
    assert short(Path("/other/a.png"), Path("/shop")) == "/other/a.png"
