import torch

from models.families.family import ImageShape, Parts
from models.generators.dcgan import DCGANConfig
from models.generators.lsgan import LSGAN, LSGANConfig
from tests.trainings import build_family


def test_it_differs_from_dcgan_in_its_losses_alone():
    mine, other = LSGANConfig().model_dump(), DCGANConfig().model_dump()
    assert {name for name, value in mine.items() if other[name] != value} == {"family", "loss"}
    for network, twin in zip(
        build_family("lsgan").networks.values(), build_family("dcgan").networks.values(), strict=True
    ):
        weights, others = network.state_dict(), twin.state_dict()
        assert list(weights) == list(others)
        assert all(torch.equal(weights[name], value) for name, value in others.items())


def test_the_losses_of_a_discriminator_that_says_0_are_known():
    family = LSGAN(LSGANConfig(width=4), ImageShape(1, 32, 2))
    with torch.no_grad():
        family.discriminator.head.weight.zero_()
    parts = Parts(family.networks, lambda name, loss: None)
    losses = family.step(parts, torch.randn(4, 1, 32, 32), torch.zeros(4, dtype=torch.int64))
    assert losses == {"loss_discriminator": torch.tensor(0.5), "loss_generator": torch.tensor(0.5)}
