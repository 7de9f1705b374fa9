"""What a batch comes to, counted photograph by photograph."""

from pathlib import Path

import pytest

from tasks.editing.job import EditJob
from tasks.editing.journal import Entry
from tasks.editing.table import TABLE, Row
from tasks.editing.tally import REASONS, Finished, Tally
from tasks.lineage.index import Lineage
from tasks.operations.degrade import Degrade
from tasks.workspace.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(PACKSHOT_HOME=tmp_path / "home")


@pytest.fixture
def tally(settings, tmp_path):
    plan = EditJob(operations=(Degrade(kind="grayscale"),), seed=4).plan()
    return Tally(settings, plan, tmp_path / "photos")


def edited(number, kept=False):
    row = Row(
        input=f"{number}.jpg", output=f"{number}.png", status="edited",
        input_sha256=f"{number:064x}", output_sha256=f"{number + 1000:064x}",
    )  # fmt: skip
    entry = Entry(key=str(number), row=row, networks=(), software="packshot", created="2026-01-01T00:00:00Z")
    return Finished(row, entry, Path("out") / row.output, kept)


def left_out(number, status):
    return Finished(Row(input=f"bad {number}.jpg", status=status, reason=f"reason {number}"))


def test_each_photograph_is_counted_once_by_what_became_of_it(tally, tmp_path):
    assert (tally.done, tally.note) == (0, "photos")
    for number in range(3):
        tally.add(edited(number, kept=number == 2))
    assert tally.note == "photos"
    for number, status in enumerate(("broken", "refused", "failed", "failed")):
        tally.add(left_out(number, status))
    assert (tally.done, tally.note) == (7, "photos, 4 left out")
    result = tally.result(tmp_path / "out", others=1, seconds=2.31)
    assert (result.edited, result.kept, result.broken, result.refused, result.failed) == (2, 1, 1, 1, 2)
    assert (result.left_out, result.table) == (4, tmp_path / "out" / TABLE)
    assert result.text == "2 edited, 1 done before, 1 broken, 1 refused, 2 failed, 1 other files in 2.3 s"


def test_what_did_not_occur_is_not_told(tally, tmp_path):
    tally.add(edited(1))
    assert tally.result(tmp_path, others=0, seconds=0.5).text == "1 edited in 0.5 s"


def test_the_first_reasons_are_kept(tally, tmp_path):
    for number in range(REASONS + 5):
        tally.add(left_out(number, "broken"))
    result = tally.result(tmp_path, 0, 1.0)
    assert [one.picture for one in result.reasons] == [f"bad {number}.jpg" for number in range(REASONS)]
    assert (result.reasons[3].status, result.reasons[3].reason) == ("broken", "reason 3")
    assert result.broken == REASONS + 5


def test_results_reach_the_lineage_index_some_at_a_time(tally, settings, monkeypatch):
    monkeypatch.setattr("tasks.editing.tally.RECORDED_AT_ONCE", 2)
    tally.add(edited(1))
    assert len(tally.waiting) == 1
    tally.add(edited(2))
    assert tally.waiting == []
    focus = Lineage(settings.home).trace(f"{1002:064x}").focus
    assert (focus.attributes["seed"], focus.attributes["software"]) == (4, "packshot")
    tally.add(edited(3))
    tally.record()
    assert Lineage(settings.home).trace(f"{1003:064x}").focus.created == "2026-01-01T00:00:00Z"
