import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional

from models.families.family import ImageShape, Parts
from models.generators.dcgan import DCGAN, DCGANConfig


def build(channels=1, categories=10, size=32, **changes):
    torch.manual_seed(0)
    return DCGAN(DCGANConfig(**changes), ImageShape(channels, size, categories))


def test_the_defaults_are_the_papers():
    config = DCGANConfig()
    assert (config.latent, config.optimiser, config.learning_rate, config.beta1) == (100, "adam", 2e-4, 0.5)
    assert (config.loss, config.critic_updates, config.discriminator_norm) == ("non-saturating", 1, "batch")
    assert not (config.r1 or config.gradient_penalty or config.weight_clip or config.spectral_norm)


@pytest.mark.parametrize(("field", "value"), [("latent", 0), ("latent", 1025), ("width", 3), ("width", 513)])
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        DCGANConfig(**{field: value})


def channels_of(network, kind):
    layers = [layer for layer in network.modules() if isinstance(layer, kind)]
    assert {layer.kernel_size for layer in layers} == {(4, 4)}
    return [(layer.in_channels, layer.out_channels) for layer in layers]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "widths"), [(32, [256, 128, 64]), (64, [512, 256, 128, 64])])
def test_each_layer_doubles_the_side_and_halves_the_channels(channels, size, widths):
    family = build(channels, size=size)
    up, down = [*widths, channels], [channels, *widths[::-1], 1]
    assert family.generator.noise.weight.shape == (widths[0] * 16, 100)
    assert channels_of(family.generator, nn.ConvTranspose2d) == list(zip(up, up[1:], strict=False))
    assert channels_of(family.discriminator, nn.Conv2d) == list(zip(down, down[1:], strict=False))


def test_batch_norm_is_everywhere_but_at_the_images():
    family = build()
    norms = [layer.num_features for layer in family.generator.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms == [256, 128, 64]
    norms = [layer.num_features for layer in family.discriminator.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms == [128, 256]
    assert isinstance(family.generator.to_image[-1], nn.Tanh)


@pytest.mark.parametrize(("norm", "kinds"), [("layer", {nn.GroupNorm}), ("none", set())])
def test_the_discriminators_norm_can_be_chosen(norm, kinds):
    family = build(discriminator_norm=norm)
    found = {type(layer) for layer in family.discriminator.modules()} & {nn.BatchNorm2d, nn.GroupNorm}
    assert found == kinds
    assert (family.discriminator.body[0].bias is None) == bool(kinds)
    assert family.discriminator(torch.randn(3, 1, 32, 32), torch.zeros(3, dtype=torch.int64)).logits.shape == (3,)


def test_a_category_is_a_one_hot_vector_beside_the_noise():
    generator = build(categories=3, conditional=True).generator
    noise, category = torch.randn(2, 100), torch.tensor([2, 0])
    matrix = torch.cat((generator.noise.weight, generator.category.weight.T), 1)
    joined = torch.cat((noise, functional.one_hot(category, 3).float()), 1)
    expected = generator.to_image(generator.body((joined @ matrix.T).view(2, 256, 4, 4)))
    torch.testing.assert_close(generator(noise, category), expected)


def test_weights_begin_at_0_and_002():
    family = build(conditional=True)
    modules = [*family.generator.modules(), *family.discriminator.modules()]
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)
    kernels = [layer.weight for layer in modules if isinstance(layer, kinds)]
    assert len(kernels) == 9
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
        same_verdict = torch.equal(
            family.discriminator(images, first).logits, family.discriminator(images, second).logits
        )
        assert (same_image, same_verdict) == (not conditional, not conditional)


def test_a_conditional_discriminator_judges_each_image_by_its_own_category():
    discriminator = build(channels=3, categories=5, conditional=True).discriminator.eval()
    images, categories = torch.randn(4, 3, 32, 32), torch.tensor([3, 0, 4, 3])
    every = discriminator.head(discriminator.body(discriminator.from_image(images))).flatten(1)
    assert every.shape == (4, 5)
    expected = torch.stack([every[row, category] for row, category in enumerate(categories)])
    assert torch.equal(discriminator(images, categories).logits, expected)


def test_the_losses_of_an_undecided_discriminator_are_known():
    family = build()
    with torch.no_grad():
        family.discriminator.head.weight.zero_()  # every logit is 0
    updates = []
    parts = Parts(family.networks, lambda name, loss: updates.append(name))
    losses = family.step(parts, torch.randn(4, 1, 32, 32), torch.zeros(4, dtype=torch.int64))
    log2 = torch.tensor(2.0).log()
    torch.testing.assert_close(losses["loss_discriminator"], 2 * log2)
    torch.testing.assert_close(losses["loss_generator"], log2)
    assert updates == ["discriminator", "generator"]
