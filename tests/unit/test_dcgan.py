import pytest
import torch
from pydantic import ValidationError
from torch import nn

from models.dcgan import DCGAN, DCGANConfig
from models.errors import InputError
from models.family import ImageShape, Parts


def build(channels=1, categories=10, **changes):
    torch.manual_seed(0)
    return DCGAN(DCGANConfig(**changes), ImageShape(channels, 32, categories))


def test_the_defaults_are_the_papers():
    config = DCGANConfig()
    assert (config.latent, config.optimiser, config.learning_rate, config.beta1) == (100, "adam", 2e-4, 0.5)


@pytest.mark.parametrize(("field", "value"), [("latent", 0), ("latent", 1025), ("width", 3), ("width", 513)])
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        DCGANConfig(**{field: value})


@pytest.mark.parametrize("channels", [1, 3])
def test_the_layers_are_256_128_64_wide(channels):
    family = build(channels)
    up = [layer for layer in family.generator.body if isinstance(layer, nn.ConvTranspose2d)]
    down = [layer for layer in family.discriminator.body if isinstance(layer, nn.Conv2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in up] == [
        (100, 256),
        (256, 128),
        (128, 64),
        (64, channels),
    ]
    assert [(layer.in_channels, layer.out_channels) for layer in down] == [
        (channels, 64),
        (64, 128),
        (128, 256),
        (256, 1),
    ]
    assert {layer.kernel_size for layer in (*up, *down)} == {(4, 4)}


def test_batch_norm_is_everywhere_but_at_the_images():
    family = build()
    norms = [layer.num_features for layer in family.generator.body if isinstance(layer, nn.BatchNorm2d)]
    assert norms == [256, 128, 64]
    norms = [layer.num_features for layer in family.discriminator.body if isinstance(layer, nn.BatchNorm2d)]
    assert norms == [128, 256]
    assert isinstance(family.generator.body[-1], nn.Tanh)


def test_weights_begin_at_0_and_002():
    family = build(conditional=True)
    modules = [*family.generator.modules(), *family.discriminator.modules()]
    kernels = [layer.weight for layer in modules if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))]
    assert len(kernels) == 8
    for weight in kernels:
        spread = 4 / weight.numel() ** 0.5  # four standard errors
        assert abs(weight.std().item() / 0.02 - 1) < spread
        assert abs(weight.mean().item() / 0.02) < spread
    norms = [layer for layer in modules if isinstance(layer, nn.BatchNorm2d)]
    scales = torch.cat([layer.weight for layer in norms])
    assert abs(scales.mean().item() - 1) < 0.005
    assert abs(scales.std().item() - 0.02) < 0.003
    assert all(not layer.bias.any() for layer in norms)


def test_a_category_changes_the_image_and_the_verdict_only_when_conditional():
    noise, images = torch.randn(2, 100), torch.randn(2, 1, 32, 32)
    first, second = torch.tensor([0, 0]), torch.tensor([1, 1])
    for conditional in (True, False):
        family = build(conditional=conditional)
        family.generator.eval()
        family.discriminator.eval()
        same_image = torch.equal(family.generator(noise, first), family.generator(noise, second))
        same_verdict = torch.equal(family.discriminator(images, first), family.discriminator(images, second))
        assert (same_image, same_verdict) == (not conditional, not conditional)


def test_a_conditional_discriminator_judges_each_image_by_its_own_category():
    discriminator = build(channels=3, categories=5, conditional=True).discriminator.eval()
    images, categories = torch.randn(4, 3, 32, 32), torch.tensor([3, 0, 4, 3])
    every = discriminator.body(images).flatten(1)
    assert every.shape == (4, 5)
    expected = torch.stack([every[row, category] for row, category in enumerate(categories)])
    assert torch.equal(discriminator(images, categories), expected)


def test_only_32_pixels_are_taken():
    with pytest.raises(InputError, match=r"^prepare\.size: got 64, allowed: 32 for family dcgan$"):
        DCGAN(DCGANConfig(), ImageShape(1, 64, 10))


def test_the_losses_of_an_undecided_discriminator_are_known():
    family = build()
    with torch.no_grad():
        family.discriminator.body[-1].weight.zero_()  # every logit is 0
    updates = []
    parts = Parts(family.networks, lambda name, loss: updates.append(name))
    losses = family.step(parts, torch.randn(4, 1, 32, 32), torch.zeros(4, dtype=torch.int64))
    log2 = torch.tensor(2.0).log()
    torch.testing.assert_close(losses["loss_discriminator"], 2 * log2)
    torch.testing.assert_close(losses["loss_generator"], log2)
    assert updates == ["discriminator", "generator"]
