"""What a step hands on, and how it is told."""

import pytest
from pydantic import ValidationError

from tasks.pipeline import outcome
from tasks.pipeline.outcome import StepResult, StepSummary, TrainOutcome, timed

FITTED = StepSummary(step="fit", what="120 updates", seconds=3.5, inputs="data aaaaaaaa")


def test_a_step_says_what_it_did_or_what_was_equal():
    assert FITTED.text == "120 updates"
    assert FITTED.model_copy(update={"skipped": True}).text == "unchanged: data aaaaaaaa"


def test_an_outcome_comes_back_from_json(tmp_path):
    made = TrainOutcome(
        slot="generate-shop",
        version=3,
        promoted=False,
        verdict="kernel distance 0.31 against champion 0.29",
        run_id="r" * 32,
        flow_run="f" * 36,
        data_md5="d" * 32,
        data_docs=tmp_path / "index.html",
        onnx=tmp_path / "generator.onnx",
        report=tmp_path / "report.json",
        lines=[FITTED],
    )
    assert TrainOutcome.model_validate_json(made.model_dump_json()) == made


def test_a_result_cannot_be_changed_afterwards():
    with pytest.raises(AttributeError):
        StepResult("value", FITTED).value = "another"
    with pytest.raises(ValidationError, match="frozen"):
        FITTED.seconds = 0.0


def test_the_watch_counts_from_the_blocks_beginning(monkeypatch):
    now = iter((100.0, 101.234, 103.0))
    monkeypatch.setattr(outcome.time, "monotonic", lambda: next(now))
    with timed() as seconds:
        assert seconds() == 1.23
        assert seconds() == 3.0
