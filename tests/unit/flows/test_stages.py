"""The stages of `dvc.yaml`: named on the command line, their outputs where DVC looks for them."""

import pytest
import yaml

from flows.stages import STAGES, copy, list_inputs, main
from models.errors import InputError
from tasks.workspace.settings import SOURCE


@pytest.mark.parametrize("arguments", [[], ["deploy"], ["train", "evaluate"]])
def test_other_stages_are_refused_with_those_there_are(arguments):
    with pytest.raises(InputError, match=rf"^stage: got '{' '.join(arguments)}', allowed: one of prepare, train, eval"):
        main(arguments)


def test_dvc_names_each_stage_with_its_command():
    stages = yaml.safe_load((SOURCE / "dvc.yaml").read_text())["stages"]
    commands = {name: stage["cmd"].split()[-3:] for name, stage in stages.items()}
    assert commands == {name: ["-m", "flows.stages", name] for name in STAGES}


def test_an_output_is_a_copy_under_its_own_name(tmp_path):
    (tmp_path / "report.json").write_text("{}")
    copy(tmp_path / "report.json", tmp_path / "artifacts" / "evaluate")
    (tmp_path / "report.json").write_text("changed")
    assert (tmp_path / "artifacts" / "evaluate" / "report.json").read_text() == "{}"


def test_dvc_knows_all_that_a_stage_depends_on():
    stages = yaml.safe_load((SOURCE / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    inputs = list_inputs(SOURCE)
    assert list(stages) == ["prepare", "train", "evaluate"]
    assert {name: stage["deps"] for name, stage in stages.items()} == inputs, "run: make format"
