import pytest
import torch
from pydantic import ValidationError
from torch import nn

from models.families.family import Parts
from models.generators.wgan import WGANConfig
from tests.trainings import build_family, build_trainer, draw_images


def test_the_defaults_are_those_of_the_gradient_penalty():
    config = WGANConfig()
    assert (config.critic, config.gradient_penalty, config.critic_updates) == ("penalty", 10, 5)
    assert (config.learning_rate, config.beta1, config.beta2) == (1e-4, 0, 0.9)


def test_the_critic_has_no_batch_norm():
    family = build_family("wgan")
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in family.discriminator.modules())
    with pytest.raises(ValidationError, match="batch norm mixes"):
        WGANConfig(discriminator_norm="batch")


def test_each_critic_has_its_own_bound():
    assert (build_family("wgan").config.gradient_penalty, build_family("wgan").config.weight_clip) == (10, 0)
    clipped = build_family("wgan", critic="clip").config
    assert (clipped.gradient_penalty, clipped.weight_clip) == (0, 0.01)


@pytest.mark.parametrize(("critic", "clipped"), [("clip", True), ("penalty", False)])
def test_clipping_bounds_all_of_the_critics_weights_and_none_of_the_generators(tmp_path, critic, clipped):
    family = build_family("wgan", critic=critic)
    trainer = build_trainer(tmp_path, family=family)
    for _ in range(3):
        trainer.advance()
    largest = {
        name: max(weight.detach().abs().max().item() for weight in network.parameters())
        for name, network in family.networks.items()
    }
    assert (largest["discriminator"] <= 0.01) == clipped
    assert largest["generator"] > 0.01


def test_the_critic_learns_from_each_share_of_the_batch_and_then_the_generator_once():
    family, seen = build_family("wgan", critic_updates=3), []
    family.discriminator.register_forward_pre_hook(lambda network, inputs: seen.append(len(inputs[0])))
    updates = []
    images, labels = draw_images(16)
    planes = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    family.step(Parts(family.networks, lambda name, loss: updates.append(name)), planes, torch.from_numpy(labels))
    assert updates == ["discriminator"] * 3 + ["generator"]
    assert seen == [12, 6, 10, 5, 10, 5, 5]  # real with fake, between them; at last the generated ones alone


def slope_after_training(folder, **changes):
    """Mean ||dD/dx|| at images like those that were learned."""
    family = build_family("wgan", learning_rate=2e-2, **changes)
    trainer = build_trainer(folder, family=family)
    for _ in range(48):
        trainer.advance()
    images, labels = draw_images(16, seed=1)
    planes = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    return family.discriminator(planes, torch.from_numpy(labels), slopes=True).squares.detach().sqrt().mean().item()


def test_the_penalty_bounds_the_slope(tmp_path):
    bounded = slope_after_training(tmp_path)
    free = slope_after_training(tmp_path, gradient_penalty=0.0)
    assert 0.1 < bounded < 3
    assert free > 3 * bounded
