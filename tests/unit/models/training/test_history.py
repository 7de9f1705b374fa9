"""The figures of a training: told as they come, and kept as a table with a column for each that occurs."""

import csv

from models.training.history import History
from tests.trainings import Recorder


def test_figures_are_kept_by_update_and_told(tmp_path):
    log = Recorder()
    history = History(log, batch_size=16)
    history.note(1, {"loss": 0.5})
    history.note(2, {"loss": 0.25, "validation_distance": 12.0})
    assert history.rows == [
        {"step": 1, "images": 16, "loss": 0.5},
        {"step": 2, "images": 32, "loss": 0.25, "validation_distance": 12.0},
    ]
    assert log.figures == [(1, {"loss": 0.5}), (2, {"loss": 0.25, "validation_distance": 12.0})]


def test_a_figure_that_was_not_measured_is_left_empty():
    history = History(Recorder(), batch_size=2)
    history.note(1, {"loss": 0.5})
    history.note(2, {"distance": 3.0})
    rows = list(csv.DictReader(history.to_csv().splitlines()))
    assert list(rows[0]) == ["step", "images", "loss", "distance"]
    assert [(row["step"], row["loss"], row["distance"]) for row in rows] == [("1", "0.5", ""), ("2", "", "3.0")]


def test_rows_of_a_checkpoint_are_gone_on_with():
    history = History(Recorder(), batch_size=4)
    history.rows = [{"step": 1, "images": 4, "loss": 0.5}]
    history.note(2, {"loss": 0.25})
    assert [row["images"] for row in history.rows] == [4, 8]
    assert history.to_csv() == "step,images,loss\n1,4,0.5\n2,8,0.25\n"


def test_nothing_happened_yet():
    assert History(Recorder(), 8).to_csv() == "\n"
