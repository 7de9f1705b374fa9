"""What the commands print of a training's steps and of a report's figures."""

from flows.cli.runs import show_figures, show_lines
from tasks.evaluation.report import Figure
from tasks.pipeline.outcome import StepSummary
from tests.reports import make_report


def row(text, name):
    return next(line for line in text.splitlines() if line.strip().startswith(name)).split()


def test_steps_are_told_with_what_they_did_or_what_was_equal(capsys):
    lines = [
        StepSummary(step="ingest", what="40 images", seconds=0.0, inputs="data dddddddd", skipped=True),
        StepSummary(step="fit", what="120 updates", seconds=61.26),
    ]
    show_lines("train dcgan on shop", lines)
    text = capsys.readouterr().out
    assert text.startswith("train dcgan on shop")
    assert row(text, "ingest") == ["ingest", "skipped", "unchanged:", "data", "dddddddd", "0.0", "s"]
    assert row(text, "fit") == ["fit", "done", "120", "updates", "61.3", "s"]


def test_figures_stand_beside_what_real_images_reach(capsys):
    report = make_report()
    report = report.model_copy(
        update={
            "figures": [
                Figure(name="frechet_distance", value=21.5, spread=0.25, floor=1.5, higher_is_better=False),
                Figure(name="recall", value=0.4, category="bag", higher_is_better=True),
            ]
        }
    )
    show_figures(report)
    text = capsys.readouterr().out
    assert text.startswith("dcgan on shop")
    assert row(text, "frechet") == ["frechet", "distance", "21.5", "±", "0.25", "1.5"]
    assert row(text, "recall") == ["recall", "bag", "0.4"]
    assert f"protocol: reference_split test, reference_digest {'r' * 64}, " in text
