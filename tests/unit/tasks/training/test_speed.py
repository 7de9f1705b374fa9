"""The fastest plan for a training, timed on the training itself, in a folder where it leaves nothing."""

import pytest

from models.generators.dcgan import DCGANConfig
from models.training import speed
from tasks.training.speed import measure_plan
from tests.prepared import write_prepared


@pytest.fixture
def prepared(tmp_path):
    return write_prepared(tmp_path / "prepared")


def config(**changes):
    return DCGANConfig(width=8, latent=8, batch_size=8, **changes)


def test_each_plan_that_is_allowed_is_timed_by_real_updates(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "has_fast_bf16", lambda: False)
    monkeypatch.chdir(tmp_path)
    plan = measure_plan(prepared, config(precision="auto", memory_format="auto"))
    assert set(plan.measured) == {"32-true/contiguous", "32-true/channels_last"}
    assert max(plan.measured, key=plan.measured.__getitem__) == f"{plan.precision}/{plan.memory_format}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prepared"]


def test_a_plan_that_is_named_is_not_timed(prepared):
    plan = measure_plan(prepared, config(precision="bf16-mixed", memory_format="channels_last"))
    assert (plan.precision, plan.memory_format, plan.measured) == ("bf16-mixed", "channels_last", {})
