import re
from fnmatch import fnmatchcase

import pytest
import torch
from pydantic import ValidationError

from models.errors import InputError
from models.families.discovery import load_family
from models.families.family import ImageShape, Parts
from models.generators.dcgan import DCGANConfig
from models.losses.games import GAMES, Game
from tests.families import GANS, shrink
from tests.trainings import CATEGORIES, build_family, build_trainer

REGULARISERS = [
    {"r1": 1.0, "discriminator_norm": "none"},
    {"gradient_penalty": 10.0, "discriminator_norm": "layer"},
    {"r1": 1.0, "gradient_penalty": 10.0, "spectral_norm": True, "discriminator_norm": "none"},
    {"weight_clip": 0.05},
    {"spectral_norm": True},
    {"critic_updates": 3, "optimiser": "sgd", "l1": 1e-5, "l2": 1e-5},
    {"diff_augment": {"colour": 1, "translation": 0.125, "cutout": 0.5}},
]


def build(name, channels=1, size=32, **changes):
    config = load_family(name).Config.model_validate({**shrink(name), **changes})
    torch.manual_seed(0)
    return load_family(name)(config, ImageShape(channels, size, len(CATEGORIES)))


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("name", GANS)
def test_shapes_for_both_sizes(name, conditional, channels, size):
    family = build(name, channels, size, conditional=conditional)
    category = torch.tensor([0, 1, 1])
    images = family.generator(torch.randn(3, family.latent), category)
    assert images.shape == (3, channels, size, size)
    verdict = family.discriminator(images, category, slopes=True)
    assert verdict.logits.shape == verdict.squares.shape == verdict.surprise.shape == (3,)
    torch.testing.assert_close(family.discriminator(images, category).logits, verdict.logits, rtol=0.2, atol=1e-3)


@pytest.mark.parametrize("name", GANS)
def test_other_sizes_are_refused(name):
    with pytest.raises(InputError, match=re.escape(f"prepare.size: got 48, allowed: 32 or 64 for family {name}")):
        build(name, size=48)


@pytest.mark.parametrize("penalty", ["r1", "gradient_penalty"])
def test_penalties_on_slopes_need_a_discriminator_that_judges_each_image_alone(penalty):
    with pytest.raises(ValidationError, match=rf"{penalty}: got 1\.0, .*batch norm mixes the images' gradients"):
        DCGANConfig(**{penalty: 1.0})
    assert getattr(DCGANConfig(**{penalty: 1.0, "discriminator_norm": "layer"}), penalty) == 1


def test_categories_are_told_apart_only_where_they_are_told():
    with pytest.raises(ValidationError, match=r"auxiliary: got 0\.5, allowed: 0 unless conditional is on"):
        DCGANConfig(auxiliary=0.5, conditional=False)


@pytest.mark.parametrize("name", GANS)
def test_surprise_is_the_cross_entropy_of_the_categories_logits(name):
    discriminator, images = build(name, conditional=True).discriminator.eval(), torch.randn(3, 1, 32, 32)
    every = torch.stack([discriminator(images, torch.full((3,), kind)).logits for kind in range(len(CATEGORIES))], 1)
    category = torch.tensor([0, 1, 1])
    expected = torch.nn.functional.cross_entropy(every, category, reduction="none")
    torch.testing.assert_close(discriminator(images, category).surprise, expected)


def test_every_critic_update_needs_two_images():
    with pytest.raises(ValidationError, match="at most half of batch_size"):
        DCGANConfig(batch_size=7, critic_updates=4)


@pytest.mark.parametrize("loss", GAMES)
@pytest.mark.parametrize("changes", REGULARISERS, ids="-".join)
def test_any_loss_goes_with_any_regulariser(tmp_path, loss, changes):
    trainer = build_trainer(tmp_path, family=build_family("dcgan", loss=loss, **changes), precision="bf16-mixed")
    before = {key: weight.detach().clone() for key, weight in trainer._weights().items()}
    losses = [trainer.advance() for _ in range(2)]
    assert all(bool(torch.isfinite(value)) for step in losses for value in step.values())
    assert not any(torch.equal(weight, before[key]) for key, weight in trainer._weights().items())


@pytest.mark.parametrize(
    "changes",
    [
        {"r1": 50.0},
        {"gradient_penalty": 5.0},
        {"weight_clip": 0.001},
        {"spectral_norm": True},
        {"auxiliary": 0.5},
        {"diff_augment": {"cutout": 0.5}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_each_regulariser_changes_what_is_learned(changes):
    def losses(**given):
        family, found = build("dcgan", discriminator_norm="none", conditional=True, **given), []
        optimisers = {name: family.optimiser(name) for name in family.networks}

        def update(name, loss):
            optimisers[name].zero_grad()
            loss.backward(retain_graph=True)
            optimisers[name].step()

        torch.manual_seed(1)
        for _ in range(2):
            step = family.step(Parts(family.networks, update), torch.rand(16, 1, 32, 32), torch.zeros(16).long())
            found += [float(value) for value in step.values()]
        return found

    assert losses() == losses()
    assert losses(**changes) != losses()


def test_the_discriminator_may_learn_at_its_own_rate():
    family = build("dcgan", discriminator_learning_rate=3e-3)
    rates = {name: [group["lr"] for group in family.optimiser(name).param_groups] for name in family.networks}
    assert rates == {"generator": [2e-4], "discriminator": [3e-3]}


@pytest.mark.parametrize("name", GANS)
def test_only_the_category_layers_depend_on_the_number_of_categories(name):
    def shapes(categories):
        config = load_family(name).Config.model_validate({**shrink(name), "conditional": True})
        networks = load_family(name)(config, ImageShape(1, 32, categories)).networks
        return {
            f"{key}.{at}": value.shape
            for key, network in networks.items()
            for at, value in network.state_dict().items()
        }

    few, many = shapes(2), shapes(5)
    differing = {key for key in few if few[key] != many[key]}
    patterns = load_family(name).category_layers
    assert differing
    assert all(any(fnmatchcase(key, pattern) for pattern in patterns) for key in differing)
    assert all(any(fnmatchcase(key, pattern) for key in differing) for pattern in patterns)


@pytest.mark.parametrize("name", GANS)
def test_only_the_layers_at_the_image_depend_on_its_channels(name):
    def shapes(channels):
        networks = build(name, channels, conditional=True).networks
        return {
            f"{key}.{at}": value.shape
            for key, network in networks.items()
            for at, value in network.state_dict().items()
        }

    grey, colour = shapes(1), shapes(3)
    assert {key.split(".")[1] for key in grey if grey[key] != colour[key]} == {"to_image", "from_image"}


def test_a_relativistic_generator_is_judged_beside_the_real_images_of_now():
    """RaLSGAN's critic, eq. 9 of Jolicoeur-Martineau 2018: what is judged is how far the one is from the other."""
    seen = []

    def generate(real, fake):
        seen.append(real)
        return (fake - real.mean() - 1).square().mean()

    family = build("dcgan", loss="least-squares", discriminator_norm="none")
    family.game = Game(family.game.discriminator, generate, relativistic=True)
    rules = {name: family.optimiser(name) for name in family.networks}

    def update(name, loss):
        rules[name].zero_grad()
        loss.backward()
        rules[name].step()

    images, labels = torch.rand(16, 1, 32, 32), torch.zeros(16).long()
    generator = [weight.detach().clone() for weight in family.generator.parameters()]
    family.step(Parts(family.networks, update), images, labels)
    torch.testing.assert_close(seen[0], family.discriminator(images, labels).logits)  # after the discriminator's update
    assert not seen[0].requires_grad
    assert not any(map(torch.equal, generator, family.generator.parameters()))
