"""FoldSR: branches in training, one kernel when served."""

import pytest
import torch
from torch import nn

from models.editors.espcn import ESPCNConfig, ESPCNFamily
from models.editors.foldsr import FoldSRConfig, FoldSRFamily
from models.families.family import ImageShape
from models.families.upscaling import SCALES, Enlarge


def build(scale, **changes):
    torch.manual_seed(0)
    return FoldSRFamily(FoldSRConfig(scale=scale, **changes), ImageShape(3, 96, 1))


@pytest.mark.parametrize("scale", SCALES)
def test_ours_stays_within_twice_the_arithmetic_of_espcn(scale):
    ours = build(scale).facts["macs"]
    espcn = ESPCNFamily(ESPCNConfig(scale=scale), ImageShape(3, 96, 1)).facts["macs"]
    assert espcn < ours <= 2 * espcn


@pytest.mark.parametrize("scale", SCALES)
def test_the_folded_network_is_the_trained_one(scale):
    family = build(scale, width=6, layers=4)
    for weight in family.generator.parameters():
        weight.data.add_(torch.randn_like(weight) * 0.1)
    folded, image = family.served(), torch.rand(2, 1, 9, 14)
    with torch.inference_mode():
        torch.testing.assert_close(folded(image), family.generator(image), atol=1e-5, rtol=1e-4)
    layers = [module for module in folded.body.modules() if isinstance(module, nn.Conv2d)]
    assert len(layers) == 4
    assert sum(weight.numel() for weight in folded.body.parameters()) == 4 * (9 * 6 * 6 + 6)


def test_a_folded_kernel_is_the_sum_of_its_branches():
    layer = build(2, width=3, layers=1).generator.body[0]
    features = torch.rand(1, 3, 8, 8)
    conv = nn.functional.conv2d
    branches = conv(features, layer.kernel, padding=1) + features
    branches = branches + conv(conv(features, layer.squeeze), layer.expand, padding=1)
    for strength, mix, edge in zip(layer.strength, layer.mix, layer.edges, strict=True):
        mixed = conv(features, mix[:, :, None, None])
        filtered = conv(mixed, edge.expand(3, 1, 3, 3), padding=1, groups=3)
        branches = branches + strength[:, None, None] * filtered
    torch.testing.assert_close(layer(features), branches, atol=1e-5, rtol=1e-4)


def test_ours_begins_as_bicubic_plus_a_little():
    family = build(2)
    family.generator.tail.weight.data.zero_()
    image = torch.rand(1, 1, 10, 10)
    torch.testing.assert_close(family.generator(image), Enlarge(2)(image))
