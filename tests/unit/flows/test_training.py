"""The body of the flows that train: what cannot be done is refused before anything is begun."""

import pytest

from flows.training import run_training
from models.errors import InputError
from models.generators.dcgan import DCGANConfig
from tasks.pipeline.request import TrainRequest


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text("prepare: {default: {size: 32}}\n")
    monkeypatch.setenv("PACKSHOT_ROOT", str(tmp_path))
    monkeypatch.setenv("PACKSHOT_HOME", str(tmp_path / "home"))
    return tmp_path


def test_a_start_that_is_not_there_is_refused_before_any_step(root):
    request = TrainRequest(recipe=DCGANConfig(init_from="lost.safetensors"), catalogue="shop")
    with pytest.raises(InputError, match=r"^init_from: got 'lost\.safetensors', allowed: a file that is there"):
        run_training(request)
    assert not (root / "home").exists()


def test_a_section_out_of_bounds_is_refused_before_any_step(root):
    (root / "params.yaml").write_text("prepare: {default: {size: 3}}\n")
    with pytest.raises(InputError, match="size: got 3, allowed: greater than or equal to"):
        run_training(TrainRequest(recipe=DCGANConfig(), catalogue="shop"))
    assert not (root / "home").exists()
