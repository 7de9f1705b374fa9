"""An exported editing network: equal to the trained one at every size, or refused."""

import numpy as np
import pytest
import torch

from models.errors import TrainingError
from models.exported.editor import ExportedRestoration, export_restoration
from models.exported.onnx_file import TOLERANCE
from models.training.initial import write_networks
from tests.generators import write_generator
from tests.trainings import build_family


@pytest.fixture(scope="module")
def family():
    return build_family("espcn", 3)


@pytest.fixture(scope="module")
def weights(family, tmp_path_factory):
    state = {f"generator.{name}": value for name, value in family.generator.state_dict().items()}
    return write_networks(tmp_path_factory.mktemp("weights"), state)


def test_the_file_says_what_it_takes_and_makes_what_the_network_does(family, weights, tmp_path):
    assert export_restoration(family, weights, tmp_path / "network.onnx") <= TOLERANCE
    exported = ExportedRestoration(tmp_path / "network.onnx", threads=1)
    assert (exported.capability, exported.family) == ("upscale", "espcn")
    assert exported.facts.items() >= family.facts.items()
    assert exported.inputs == {"image": 1}
    for height, width in ((1, 1), (9, 70)):
        image = torch.rand(2, 1, height, width)
        with torch.inference_mode():
            expected = family.generator(image).numpy()
        np.testing.assert_allclose(exported.run(image=image.numpy()), expected, atol=TOLERANCE)


def test_a_file_that_differs_is_refused_and_removed(family, weights, tmp_path, monkeypatch):
    run = ExportedRestoration.run
    monkeypatch.setattr(ExportedRestoration, "run", lambda self, **inputs: run(self, **inputs) + np.float32(0.5))
    with pytest.raises(TrainingError, match=r"the exported network differs from the trained one by 0\.5, allowed: 0"):
        export_restoration(family, weights, tmp_path / "network.onnx")
    assert not (tmp_path / "network.onnx").exists()


def test_a_generator_is_no_editing_network(tmp_path):
    with pytest.raises(TrainingError, match="for this use: no capability, family in its metadata"):
        ExportedRestoration(write_generator(tmp_path / "generator.onnx"))
