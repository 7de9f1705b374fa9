"""The family that gives grey pictures colours."""

import numpy as np
import pytest
import torch

from models.editors.colorful import GRID, colour_bins, lab_planes_to_rgb, spread_over_bins, to_lab
from models.exported.editor import ExportedRestoration, export_restoration
from models.families.family import Parts
from models.families.restoration import psnr
from models.imaging.colour import lab_to_rgb, rgb_to_lab
from models.training.initial import write_networks
from tests.trainings import build_family, build_trainer


def test_the_bins_are_the_colours_that_srgb_has():
    bins = colour_bins()
    assert 250 <= len(bins) <= 330  # the paper, over all lightnesses, counts 313
    assert (bins % GRID == 0).all()
    colours = rgb_to_lab(np.random.default_rng(0).random((2000, 3), dtype=np.float32))[:, 1:]
    nearest = np.abs(colours[:, None] - bins).max(2).min(1)
    assert np.quantile(nearest, 0.99) <= GRID / 2 + 1e-3
    assert (np.hypot(*bins.T) == 0).any()


def test_colours_as_shares_of_bins_have_themselves_as_mean():
    bins = torch.from_numpy(colour_bins())
    colours = torch.tensor([[0.0, 0.0], [10.0, -20.0], [4.0, 33.0]]).T.reshape(1, 2, 3, 1)
    shares = spread_over_bins(colours, bins)
    assert shares.shape == (1, len(bins), 3, 1)
    torch.testing.assert_close(shares.sum(1), torch.ones(1, 3, 1))
    assert ((shares > 0).sum(1) == 5).all()
    torch.testing.assert_close(torch.einsum("nqhw,qc->nchw", shares, bins), colours, atol=2, rtol=0)


def test_pictures_come_back_from_lab_as_the_reference_has_them():
    torch.manual_seed(0)
    images = torch.rand(2, 3, 8, 8)
    matrix = build_family("colorful", 3).generator.to_linear
    lab = to_lab(images)
    torch.testing.assert_close(lab_planes_to_rgb(lab, matrix), images, atol=1e-4, rtol=0)
    outside = lab * torch.tensor([1.0, 3.0, 3.0])[:, None, None]
    expected = lab_to_rgb(outside.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(lab_planes_to_rgb(outside, matrix).permute(0, 2, 3, 1).numpy(), expected, atol=1e-4)


def test_a_rare_colour_counts_more_and_the_mean_weight_is_one():
    family = build_family("colorful", 3, rare=0.5)
    count = len(colour_bins())
    seen = torch.full((count,), 0.1 / (count - 1))
    seen[7] = 0.9
    for _ in range(600):
        weights = family.weigh(seen)
    assert weights[7] < 0.1 * weights[8]
    assert float((weights * family.generator.common).sum()) == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(build_family("colorful", 3, rare=0).weigh(seen), torch.ones(count))


def test_the_generator_learns_which_shade_has_which_colour():
    family = build_family("colorful", 3, width=8)
    optimiser = torch.optim.Adam(family.generator.parameters(), 3e-3)
    dark, light = torch.tensor([0.6, 0.1, 0.1]), torch.tensor([0.5, 0.9, 1.0])
    clean = torch.where(torch.arange(32) < 16, dark[:, None], light[:, None])[None, :, None].repeat(4, 1, 32, 1)

    def update(_, loss):
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    for _ in range(80):
        family.step(Parts(family.networks, update), clean * 2 - 1, torch.zeros(4))
    degraded = family.degrade(clean)
    assert degraded.inputs["image"].shape == (4, 1, 32, 32)
    with torch.inference_mode():
        made = family.generator(*degraded.inputs.values())
    grey = family.baseline(degraded.inputs)
    assert psnr(made, degraded.target).min() > psnr(grey, degraded.target).max() + 6
    assert (grey - grey[:, :1]).abs().max() < 1e-3


def test_the_exported_file_colours_as_the_network_does(tmp_path):
    family = build_family("colorful", 3)
    weights = {f"generator.{name}": value for name, value in family.generator.state_dict().items()}
    export_restoration(family, write_networks(tmp_path, weights), tmp_path / "network.onnx")
    exported = ExportedRestoration(tmp_path / "network.onnx", threads=1)
    assert exported.inputs == {"image": 1}
    assert exported.facts["multiple"] == 16
    made = exported.run(image=np.full((1, 1, 48, 64), 0.5, np.float32))
    assert made.shape == (1, 3, 48, 64)


def test_a_training_runs_and_keeps_its_best(tmp_path):
    trained = build_trainer(tmp_path, family=build_family("colorful", 3, epochs=1)).run()
    assert trained.criterion == "validation_negative_psnr"
    assert trained.best_value < -10
