"""SRCNN: the paper's 9-5-5 over the picture enlarged by bicubic, without a border that darkens."""

import pytest
import torch

from models.editors.srcnn import SRCNN, SRCNNConfig, SRCNNFamily
from models.families.family import ImageShape
from models.families.upscaling import Enlarge


def test_the_layers_are_the_papers():
    network = SRCNN(scale=2, width=64)
    shapes = [tuple(layer.weight.shape) for layer in (network.features, network.mapping, network.tail)]
    assert shapes == [(64, 1, 9, 9), (32, 64, 5, 5), (1, 32, 5, 5)]


@pytest.mark.parametrize("scale", [2, 4])
def test_it_works_on_what_bicubic_made(scale):
    network = SRCNN(scale, width=2)
    with torch.no_grad():
        for layer in (network.features, network.mapping, network.tail):
            layer.weight.zero_()
            layer.bias.zero_()
            layer.weight[0, 0, layer.weight.shape[2] // 2, layer.weight.shape[3] // 2] = 1
        image = torch.rand(1, 1, 7, 9)
        # Three layers that hand on the first channel as it is: what is left is the enlargement, without its overshoot.
        torch.testing.assert_close(network(image), torch.relu(Enlarge(scale)(image)))


def test_a_plain_picture_has_no_border():
    torch.manual_seed(0)
    with torch.no_grad():
        made = SRCNN(scale=2, width=8)(torch.full((1, 1, 6, 6), 0.4))
    torch.testing.assert_close(made, made.mean().expand_as(made))


def test_at_a_larger_scale_fewer_pixels_of_the_small_picture_matter():
    reaches = [
        SRCNNFamily(SRCNNConfig(width=8, scale=scale), ImageShape(3, 96, 1)).facts["reach"] for scale in (2, 3, 4)
    ]
    assert reaches == sorted(reaches, reverse=True)
    assert reaches[0] > reaches[2]
