"""What every super-resolution family must hold, and what SRCNN, ESPCN and FoldSR are."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from models.errors import InputError
from models.families.discovery import load_family
from models.families.family import ImageShape, Parts
from models.families.upscaling import SCALES, Enlarge, UpscalingFamily, count_macs, luma, shift, shrink
from models.imaging.scaling.resampling import resize
from tests.families import EDITING

NAMES = tuple(name for name in EDITING if issubclass(load_family(name), UpscalingFamily))


def build(name, scale, **changes):
    kind = load_family(name)
    torch.manual_seed(0)
    return kind(kind.Config(family=name, scale=scale, **changes), ImageShape(3, 96, 1))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (7, 12)])
def test_luma_of_any_size_is_enlarged(name, scale, size):
    made = build(name, scale).generator(torch.rand(2, 1, *size))
    assert made.shape == (2, 1, size[0] * scale, size[1] * scale)


def test_macs_are_those_of_the_papers_layers():
    assert count_macs(build("espcn", 2).served()) == 25 * 64 + 9 * 64 * 32 + 9 * 32 * 4
    assert count_macs(build("espcn", 4).served()) == 25 * 64 + 9 * 64 * 32 + 9 * 32 * 16
    assert count_macs(build("srcnn", 3).served()) == 9 * (81 * 64 + 25 * 64 * 32 + 25 * 32)
    assert count_macs(nn.Conv2d(1, 5, 3, padding=1, bias=False)) == 45


@pytest.mark.parametrize("name", NAMES)
def test_training_in_bfloat16_does_not_round_what_enters_and_leaves_a_network(name):
    family = build(name, 2)
    fine = torch.linspace(0.5, 0.51, 96).expand(1, 1, 96, 96)  # bfloat16 has four values there
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        made = family.generator(fine)
    assert made.dtype == torch.float32
    assert len(made[0, 0, 96].unique()) > 100


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_beyond_the_reach_changes_a_pixel(name, scale):
    family = build(name, scale)
    reach, side = family.facts["reach"], 2 * family.facts["reach"] + 5
    middle = side // 2
    image = torch.rand(1, 1, side, side, requires_grad=True)
    made = family.generator(image)
    made[0, 0, middle * scale : (middle + 1) * scale, middle * scale : (middle + 1) * scale].sum().backward()
    seen = image.grad[0, 0].abs() > 0
    inside = torch.zeros_like(seen)
    inside[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1] = True
    assert not (seen & ~inside).any()
    tight = torch.zeros_like(seen)
    tight[middle - reach + 2 : middle + reach - 1, middle - reach + 2 : middle + reach - 1] = True
    assert (seen & ~tight).any()  # the reach is no idle overlap


@pytest.mark.parametrize("scale", SCALES)
def test_the_enlarging_kernels_are_pillows_bicubic(scale):
    plane = np.random.default_rng(0).random((20, 22)).astype(np.float32)
    made = Enlarge(scale)(torch.from_numpy(plane)[None, None])[0, 0].numpy()
    inner = slice(2 * scale, -2 * scale)
    np.testing.assert_allclose(made[inner, inner], resize(plane, 20 * scale, 22 * scale)[inner, inner], atol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_photos_are_shrunk_as_pillow_shrinks_files(scale):
    pixels = np.random.default_rng(0).integers(0, 256, (48, 96, 3), dtype=np.uint8)
    wanted = np.asarray(Image.fromarray(pixels).resize((96 // scale, 48 // scale), Image.Resampling.BICUBIC))
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    made = (shrink(planes, scale)[0] * 255).round().byte().permute(1, 2, 0).numpy()
    assert (made != wanted).mean() < 0.02  # Pillow's weights have 8 fractional bits less than float32
    assert np.abs(made.astype(int) - wanted).max() <= 1


def test_spoilt_inputs_are_the_luma_of_the_small_picture():
    family, clean = build("espcn", 2), torch.rand(1, 3, 12, 12)
    degraded = family.degrade(clean)
    torch.testing.assert_close(degraded.inputs["image"], luma(shrink(clean, 2)))
    torch.testing.assert_close(degraded.target, luma(clean))
    grey = torch.rand(1, 1, 12, 12)
    assert torch.equal(family.degrade(grey).target, grey)


def test_a_side_that_the_scale_does_not_divide_is_refused():
    kind = load_family("espcn")
    with pytest.raises(InputError, match=r"prepare\.size: got 32, allowed: a larger multiple of the scale 3"):
        kind(kind.Config(family="espcn", scale=3), ImageShape(3, 32, 1))


def test_the_loss_is_in_decibels_of_psnr():
    family = build("espcn", 2)
    images = torch.rand(2, 3, 12, 12) * 2 - 1
    losses = []
    for factor in (1, 3):
        network = Scaled(factor)
        parts = Parts({"generator": network}, lambda *_: None, 0.0)
        torch.manual_seed(0)
        losses.append(float(family.step(parts, images, torch.zeros(2))["loss_generator"]))
    assert losses[1] - losses[0] == pytest.approx(20 * math.log10(3), abs=0.1)


def test_small_pixels_begin_at_each_place_within_the_scale():
    images = torch.arange(144.0).reshape(1, 1, 12, 12)
    cuts = [shift(images, 3) for _ in range(200)]
    assert {cut.shape for cut in cuts} == {(1, 1, 9, 9)}
    assert {float(cut[0, 0, 0, 0]) for cut in cuts} == {12.0 * top + left for top in range(3) for left in range(3)}
    assert all(torch.equal(cut - cut[..., :1, :1], images[..., :9, :9]) for cut in cuts)


class Scaled(nn.Module):
    """An error `factor` times that of a constant far from every picture."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, image):
        return torch.full((*image.shape[:2], image.shape[2] * 2, image.shape[3] * 2), 100.0 * self.factor)


@pytest.mark.parametrize("scale", SCALES)
def test_validation_is_measured_away_from_the_edges(scale):
    family, target = build("espcn", scale), torch.rand(1, 1, 24, 24) * 0.5
    made = target + 0.1
    made[..., :6, :] = made[..., -6:] = 1  # a quarter at each edge does not count
    levels = 20 * np.log10(255 / (0.1 * 219))
    assert float(family.measure(made, target)) == pytest.approx(levels, abs=1e-3)
