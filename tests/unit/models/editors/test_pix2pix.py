"""The family that fills holes."""

import numpy as np
import pytest
import torch

from models.editors.pix2pix import Pix2Pix, Pix2PixConfig, fill_smoothly
from models.exported.editor import ExportedRestoration, export_restoration
from models.exported.halving import halve_weights
from models.families.family import ImageShape, Parts
from models.families.free_form import draw_mask
from models.families.restoration import psnr
from models.losses.perceptual import LITE0_WHEEL
from models.training.initial import write_networks
from tests.trainings import build_family, build_trainer


def degraded(family, count=3, size=32, seed=0):
    torch.manual_seed(seed)
    return family.degrade(torch.rand(count, 3, size, size))


def test_what_is_known_comes_back_as_it_was_and_the_hole_does_not_show():
    family = build_family("pix2pix", 3)
    batch = degraded(family)
    image, mask = batch.inputs["image"], batch.inputs["mask"]
    made = family.generator(image, mask)
    assert made.shape == batch.target.shape
    known = (mask == 0).expand_as(made)
    torch.testing.assert_close(made[known], batch.target[known], rtol=0, atol=0)
    again = family.generator(torch.where(mask > 0, torch.rand_like(image), image), mask)
    torch.testing.assert_close(again, made)


@pytest.mark.parametrize("size", [(16, 16), (48, 80)])
def test_a_plain_colour_is_filled_smoothly_with_itself(size):
    family = build_family("pix2pix", 3)
    mask = torch.from_numpy(draw_mask(*size, (0.3, 0.4), np.random.default_rng(0)))[None, None].float()
    colour = torch.tensor([0.2, 0.5, 0.9])[None, :, None, None].expand(1, 3, *size)
    made = fill_smoothly(colour * (1 - mask), 1 - mask, family.generator.kernel)
    torch.testing.assert_close(made, colour.contiguous(), atol=1e-3, rtol=0)
    assert not fill_smoothly(colour * 0, torch.zeros(1, 1, *size), family.generator.kernel).isnan().any()


def test_the_generator_overfits_one_batch():
    family = build_family("pix2pix", 3, width=8)
    optimiser = torch.optim.Adam(family.generator.parameters(), 3e-3)
    clean = torch.rand(4, 3, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3) * 2 - 1

    def update(_, loss):
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    losses = []
    for _ in range(60):
        torch.manual_seed(0)
        losses.append(float(family.step(Parts(family.networks, update), clean, torch.zeros(4))["loss_generator"]))
    assert losses[-1] < 0.35 * losses[0]


def test_the_discriminator_plays_at_the_end_alone():
    family, updated = build_family("pix2pix", 3, finish=0.5), []
    clean = torch.rand(4, 3, 32, 32) * 2 - 1
    for done in (0.0, 0.49, 0.5):
        family.step(
            Parts(family.networks, lambda name, loss: updated.append((name, loss)), done), clean, torch.zeros(4)
        )
    assert [name for name, _ in updated] == ["generator", "generator", "discriminator", "generator"]
    assert all(loss.isfinite() for _, loss in updated)


def test_the_distance_of_features_teaches_too():
    pytest.importorskip(LITE0_WHEEL, reason="the pretrained features are not installed")
    clean, losses = torch.rand(2, 3, 32, 32) * 2 - 1, []
    for weight in (0.0, 1.0):
        family = build_family("pix2pix", 3, perceptual=weight, adversarial=0.0)
        torch.manual_seed(0)
        family.step(Parts(family.networks, lambda _, loss: losses.append(loss), 1.0), clean, torch.zeros(2))
    assert losses[1] > losses[0]


def test_the_exported_file_with_half_weights_fills_as_the_network_does(tmp_path):
    torch.manual_seed(0)
    family = Pix2Pix(Pix2PixConfig(width=8, patch_width=4), ImageShape(3, 64, 1))
    rounded = {f"generator.{name}": value.half().float() for name, value in family.generator.state_dict().items()}
    path = tmp_path / "network.onnx"
    export_restoration(family, write_networks(tmp_path, rounded), path)
    whole = path.stat().st_size
    halve_weights(path)
    assert path.stat().st_size < 0.65 * whole
    exported, batch = ExportedRestoration(path, threads=1), degraded(family, size=48)
    made = exported.run(**{name: value.numpy() for name, value in batch.inputs.items()})
    np.testing.assert_allclose(made, family.generator(*batch.inputs.values()).detach().numpy(), atol=1e-4)
    assert exported.facts["multiple"] == 16


def test_telea_is_the_peer_without_training():
    family = build_family("pix2pix", 3)
    clean = torch.linspace(0, 1, 32).expand(2, 3, 32, 32)
    batch = family.degrade(clean)
    filled = family.baseline(batch.inputs)
    assert psnr(filled, batch.target).min() > psnr(batch.inputs["image"], batch.target).max() + 6


@pytest.mark.parametrize(("finish", "best"), [(0.5, -28.0), (1.0, -31.0), (0.0, -31.0)])
def test_the_best_is_sought_anew_when_the_discriminator_plays(tmp_path, finish, best):
    family, judged = build_family("pix2pix", 3, finish=finish), iter((-30.0, -31.0, -29.0, -27.0, -28.0, -26.0))
    family.judge = lambda network, images: (next(judged), images[:1])
    assert build_trainer(tmp_path, family=family).run().best_value == best


def test_a_training_runs_and_keeps_its_best(tmp_path):
    family = build_family("pix2pix", 3, epochs=1, finish=0.5)
    trained = build_trainer(tmp_path, family=family).run()
    assert trained.criterion == "validation_negative_psnr"
    assert trained.best_value < -10
