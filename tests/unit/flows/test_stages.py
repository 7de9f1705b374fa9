"""What the stages of `dvc.yaml` depend on."""

import yaml

from flows.stages import list_inputs
from tasks.workspace.settings import SOURCE


def test_dvc_knows_all_that_a_stage_depends_on():
    stages = yaml.safe_load((SOURCE / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    inputs = list_inputs(SOURCE)
    assert list(stages) == ["prepare", "train", "evaluate"]
    assert {name: stage["deps"] for name, stage in stages.items()} == inputs, "run: make format"
