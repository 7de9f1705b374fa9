"""A step's progress on the terminal, where no flow run has a page for it."""

import pytest

from flows.reporting.watch import StepProgress, step_progress


def test_a_step_tells_the_terminal_how_far_it_is(capsys):
    with step_progress("fit") as watch:
        watch.update(1, 3, "loss 0.9")
        watch.update(3, 3, "loss 0.1")
    assert capsys.readouterr().err == "fit: 1/3 loss 0.9\nfit: 3/3 loss 0.1\n"


def test_no_page_is_written_outside_of_a_flow_run(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("an artifact was written")

    for name in ("create_progress_artifact", "update_progress_artifact"):
        monkeypatch.setattr(f"flows.reporting.watch.{name}", refuse)
    StepProgress("fit").update(3, 3)


def test_the_bar_is_left_alone_when_the_step_fails(monkeypatch):
    closed = []

    def close(self):
        closed.append(self)

    monkeypatch.setattr(StepProgress, "close", close)
    with pytest.raises(ValueError, match="a defect"), step_progress("fit") as watch:
        raise ValueError("a defect")
    assert closed == [watch]
