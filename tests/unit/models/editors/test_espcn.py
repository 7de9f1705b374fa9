"""ESPCN: the paper's layers, at low resolution, with each pixel's four or more from its own channels."""

import pytest
import torch

from models.editors.espcn import ESPCN, ESPCNConfig, ESPCNFamily
from models.families.family import ImageShape


def test_the_layers_are_the_papers():
    network = ESPCN(scale=3, width=64)
    shapes = [tuple(layer.weight.shape) for layer in (network.features, network.mapping, network.tail)]
    assert shapes == [(64, 1, 5, 5), (32, 64, 3, 3), (9, 32, 3, 3)]


@pytest.mark.parametrize("scale", [2, 3])
def test_a_pixel_becomes_a_square_of_its_own_channels(scale):
    network = ESPCN(scale, width=4)
    with torch.no_grad():
        network.tail.weight.zero_()
        network.tail.bias.copy_(torch.arange(scale**2.0))
        made = network(torch.rand(1, 1, 3, 2))
    square = torch.arange(scale**2.0).reshape(scale, scale)
    torch.testing.assert_close(made[0, 0], square.repeat(3, 2))


def test_the_reach_is_the_sum_of_the_kernels_halves():
    family = ESPCNFamily(ESPCNConfig(width=8), ImageShape(3, 32, 1))
    assert family.facts["reach"] == 5 // 2 + 3 // 2 + 3 // 2
