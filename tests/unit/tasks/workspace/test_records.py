import json
import shutil
import threading
import time

import pytest

from tasks.workspace.code import digest_json
from tasks.workspace.records import StepKey, StepRecords


class Work:
    """A step's work that counts how often it was done."""

    def __init__(self, folder):
        self.file, self.times = folder / "made.txt", 0

    def __call__(self):
        self.times += 1
        self.file.write_text("made")
        return {"answer": 42}, [self.file]


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


@pytest.fixture
def records(tmp_path):
    return StepRecords(tmp_path / "home")


def step(**inputs):
    return StepKey(name="prepare", inputs={"data": "a" * 32, **inputs})


def test_equal_inputs_are_skipped_also_by_another_process(records, work, tmp_path):
    first, skipped = records.run(step(), work)
    assert (first.result, skipped) == ({"answer": 42}, False)
    again, skipped = StepRecords(tmp_path / "home").run(step(), work)
    assert (again, skipped, work.times) == (first, True, 1)


@pytest.mark.parametrize(
    "changed",
    [step(data="b" * 32), step(code="c" * 32), StepKey(name="validate", inputs=step().inputs)],
    ids=["value", "input", "name"],
)
def test_a_changed_step_runs(records, work, changed):
    records.run(step(), work)
    _, skipped = records.run(changed, work)
    assert (skipped, work.times) == (False, 2)
    assert records.run(step(), work)[1]  # the old record still holds


def test_the_order_of_inputs_does_not_matter():
    assert StepKey(name="s", inputs={"a": "1", "b": "2"}).key == StepKey(name="s", inputs={"b": "2", "a": "1"}).key


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("altered")])
def test_a_missing_or_altered_file_is_made_again(records, work, damage):
    records.run(step(), work)
    damage(work.file)
    assert records.find(step()) is None
    _, skipped = records.run(step(), work)
    assert (skipped, work.times, work.file.read_text()) == (False, 2, "made")
    assert records.run(step(), work)[1]


def test_equal_steps_at_once_are_done_once(tmp_path, work):
    def slowly():
        time.sleep(0.2)
        return work()

    ended = []
    doing = [threading.Thread(target=lambda: ended.append(StepRecords(tmp_path).run(step(), slowly))) for _ in range(3)]
    for one in doing:
        one.start()
    for one in doing:
        one.join()
    assert work.times == 1
    assert sorted(skipped for _, skipped in ended) == [False, True, True]


def test_different_steps_do_not_wait_for_each_other(records, work):
    def nested():
        return records.run(step(data="b" * 32), work)[0].result, []

    assert records.run(step(), nested)[0].result == {"answer": 42}


def test_a_record_moves_with_its_home(records, work, tmp_path):
    work.file = tmp_path / "home" / "made" / "file.txt"
    work.file.parent.mkdir(parents=True)
    records.run(step(), work)
    (tmp_path / "home").rename(tmp_path / "moved")
    assert StepRecords(tmp_path / "moved").run(step(), work)[1]
    assert str(tmp_path) not in StepRecords(tmp_path / "moved").path(step()).read_text()


def test_a_copy_looks_at_its_own_files(records, work, tmp_path):
    work.file = tmp_path / "home" / "made.txt"
    records.run(step(), work)
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    (tmp_path / "copy" / "made.txt").unlink()
    assert StepRecords(tmp_path / "copy").find(step()) is None
    assert records.find(step()) is not None


def test_what_an_older_version_recorded_outside_is_found(records, work, tmp_path):
    work.file = tmp_path / "home" / "made.txt"
    records.run(step(), work)
    assert records.find_strays(tmp_path / "checkout") == []
    content = json.loads(records.path(step()).read_text())
    elsewhere = str(tmp_path / "old" / "made.txt")
    content["files"] = {elsewhere: content["files"]["made.txt"]}
    records.path(step()).write_text(json.dumps(content))
    assert records.find_strays(tmp_path / "checkout") == [elsewhere]
    shutil.copytree(tmp_path / "home", tmp_path / "old")
    assert records.find(step()) is not None, "an absolute path is read as it is"


@pytest.mark.parametrize("content", ["", "{", '{"step": 1}', '{"another": "version"}'])
def test_a_damaged_record_costs_one_run(records, work, content):
    records.run(step(), work)
    records.path(step()).write_text(content)
    assert not records.run(step(), work)[1]
    assert records.run(step(), work)[1]


def test_work_that_fails_leaves_no_record(records):
    def fail():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        records.run(step(), fail)
    assert records.find(step()) is None
    assert not records.any("prepare")


def test_any_step_of_a_name_is_found(records, work):
    assert not records.any("prepare")
    records.run(step(), work)
    assert records.any("prepare")
    assert not records.any("validate")


def test_the_summary_says_which_digests_were_equal():
    assert step(code="c" * 32).summary == "data aaaaaaaa, code cccccccc"


def test_a_key_names_the_value_whatever_its_order():
    assert digest_json({"a": 1, "b": [2]}) == digest_json({"b": [2], "a": 1})
    assert digest_json({"a": 1}) != digest_json({"a": "1"})
    assert len(digest_json(None)) == 32
