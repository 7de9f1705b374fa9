import torch
from torch import nn

from models.families.family import ImageShape
from models.generators.sngan import SNGAN, CategoryNorm, SNGANConfig
from tests.trainings import build_family, build_trainer


def build(channels=1, categories=10, size=32, **changes):
    torch.manual_seed(0)
    return SNGAN(SNGANConfig(**changes), ImageShape(channels, size, categories))


def test_the_defaults_are_hinge_spectral_norm_and_projection():
    config = SNGANConfig()
    assert (config.loss, config.spectral_norm, config.discriminator_norm, config.conditional) == (
        "hinge",
        True,
        "none",
        True,
    )


def test_every_layer_of_the_discriminator_is_normalised_and_none_of_the_generator():
    family = build(width=4)
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)
    layers = [layer for layer in family.discriminator.modules() if isinstance(layer, kinds)]
    assert all("weight" in layer.parametrizations for layer in layers)
    assert not any(hasattr(layer, "parametrizations") for layer in family.generator.modules())


def test_no_layer_of_the_discriminator_stretches_after_training(tmp_path):
    family = build_family("sngan", learning_rate=5e-3)
    trainer = build_trainer(tmp_path, family=family)
    for _ in range(12):
        trainer.advance()
    for layer in family.discriminator.modules():
        if hasattr(layer, "parametrizations"):
            largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
            assert abs(float(largest) - 1) < 0.1


def test_a_norm_by_category_scales_and_shifts_each_image_by_its_own():
    norm = CategoryNorm(3, 2)
    with torch.no_grad():
        norm.scale.weight[1], norm.shift.weight[1] = 2.0, 5.0
    maps, category = torch.randn(4, 3, 5, 5), torch.tensor([0, 1, 1, 0])
    plain = (maps - maps.mean((0, 2, 3), keepdim=True)) / maps.std((0, 2, 3), keepdim=True, correction=0)
    expected = torch.stack((plain[0], 2 * plain[1] + 5, 2 * plain[2] + 5, plain[3]))
    torch.testing.assert_close(norm(maps, category), expected, rtol=1e-3, atol=1e-3)


def test_the_verdict_is_the_features_own_and_their_projection_on_the_category():
    discriminator = build(width=4, categories=3).discriminator.eval()
    images, category = torch.randn(4, 1, 32, 32), torch.tensor([0, 2, 2, 1])
    features = discriminator.body(discriminator.from_image(images)).flatten(1)
    table = discriminator.category.weight
    own = features @ discriminator.head.weight[0]
    expected = own + torch.stack([features[row] @ table[kind] for row, kind in enumerate(category.tolist())])
    torch.testing.assert_close(discriminator(images, category).logits, expected)


def test_a_category_changes_the_image_and_the_verdict_only_when_conditional():
    noise, images = torch.randn(2, 100), torch.randn(2, 1, 32, 32)
    first, second = torch.tensor([0, 0]), torch.tensor([1, 1])
    for conditional in (True, False):
        family = build(width=4, conditional=conditional)
        family.generator.eval()
        family.discriminator.eval()
        same_image = torch.equal(family.generator(noise, first), family.generator(noise, second))
        same_verdict = torch.equal(
            family.discriminator(images, first).logits, family.discriminator(images, second).logits
        )
        assert (same_image, same_verdict) == (not conditional, not conditional)


def test_the_category_enters_beside_the_noise_and_by_every_norm():
    generator = build(width=4, categories=3).generator.eval()
    noise, first, second = torch.randn(1, 100), torch.tensor([0]), torch.tensor([2])
    with torch.no_grad():
        generator.category.weight[2] = generator.category.weight[0]
        assert torch.equal(generator(noise, first), generator(noise, second))  # the norms start alike
        for norm in generator.norms:
            norm.shift.weight[2] += 1
            assert not torch.equal(generator(noise, first), generator(noise, second))
            norm.shift.weight[2] -= 1
