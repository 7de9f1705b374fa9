import re
from fnmatch import fnmatchcase

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from models import FAMILIES, load_family
from models.errors import InputError
from models.exported.generator import TOLERANCE, ExportedGenerator, export_generator
from models.exported.noise import latents
from models.families.adversarial import AdversarialConfig, AdversarialFamily
from models.families.family import ImageShape, Parts
from models.generators.dcgan import DCGANConfig
from tests.trainings import CATEGORIES, TINY, build_family, build_trainer

GANS = [name for name in FAMILIES if issubclass(load_family(name), AdversarialFamily)]
BOUNDS = {
    "latent": (0, 1025),
    "width": (3, 513),
    "conditional": ("maybe",),
    "loss": ("huber",),
    "critic_updates": (0, 21),
    "discriminator_learning_rate": (0, 1.1),
    "discriminator_norm": ("instance",),
    "spectral_norm": ("much",),
    "r1": (-1, 1001),
    "gradient_penalty": (-1, 1001),
    "weight_clip": (-0.1, 1.1),
    "auxiliary": (-1, 11),
    "diff_augment": ({"colour": 2}, {"blur": 1}),
}
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
    config = load_family(name).Config.model_validate({"family": name, "batch_size": 16, **TINY[name], **changes})
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


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in BOUNDS.items() for value in values])
@pytest.mark.parametrize("name", GANS)
def test_values_out_of_bounds_are_refused(name, field, value):
    with pytest.raises(ValidationError) as refusal:
        load_family(name).Config(**{field: value})
    assert refusal.value.errors()[0]["loc"][0] == field


def test_every_parameter_of_the_game_has_bounds_that_are_tested():
    inherited = set(AdversarialConfig.__mro__[1].model_fields)
    assert set(AdversarialConfig.model_fields) - inherited == set(BOUNDS)


@pytest.mark.parametrize("penalty", ["r1", "gradient_penalty"])
def test_penalties_on_slopes_need_a_discriminator_that_judges_each_image_alone(penalty):
    with pytest.raises(ValidationError, match="batch norm mixes the images' gradients") as refusal:
        DCGANConfig(**{penalty: 1.0})
    assert refusal.value.errors()[0]["loc"] == (penalty,)
    assert getattr(DCGANConfig(**{penalty: 1.0, "discriminator_norm": "layer"}), penalty) == 1


def test_categories_are_told_apart_only_where_they_are_told():
    with pytest.raises(ValidationError, match="0 unless conditional is on") as refusal:
        DCGANConfig(auxiliary=0.5, conditional=False)
    assert refusal.value.errors()[0]["loc"] == ("auxiliary",)


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


@pytest.mark.parametrize("loss", ["non-saturating", "least-squares", "wasserstein", "hinge"])
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
        config = load_family(name).Config.model_validate({**TINY[name], "conditional": True})
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


@pytest.mark.parametrize("name", GANS)
def test_a_stopped_training_resumes_to_the_same_bytes(name, tmp_path):
    changes = {"epochs": 2, "conditional": True, "diff_augment": {"colour": 1, "translation": 0.125, "cutout": 0.5}}
    whole = build_trainer(tmp_path / "whole", name=name, **changes).run()
    trainer = build_trainer(tmp_path / "parts", name=name, **changes)
    trainer._resume()
    for _ in range(3):
        trainer.advance()
    trainer._save()
    parts = build_trainer(tmp_path / "parts", name=name, **changes).run()
    finals = [torch.load(tmp_path / folder / "checkpoint.pt", weights_only=True) for folder in ("whole", "parts")]
    for network, weights in finals[0]["networks"].items():
        assert all(torch.equal(value, finals[1]["networks"][network][key]) for key, value in weights.items())
    assert (whole.steps, parts.steps) == (8, 8)


@pytest.mark.parametrize("name", GANS)
def test_the_saved_and_the_exported_generator_make_the_same_images(name, tmp_path):
    family = build(name, 3, 64, conditional=True)
    for _ in range(3):  # moves the norms' statistics
        family.generator(torch.randn(8, family.latent), torch.arange(8) % 2)
    weights = tmp_path / "generator.safetensors"
    save_file(family.generator.state_dict(), weights)
    noise, category = latents(5, family.latent, 0), np.array([0, 1, 1, 0, 1])
    with torch.inference_mode():
        expected = family.generator.eval()(torch.from_numpy(noise), torch.from_numpy(category)).numpy()
        again = build(name, 3, 64, conditional=True, seed=1)
        assert export_generator(again, weights, CATEGORIES, tmp_path / "generator.onnx") <= TOLERANCE
        loaded = again.generator(torch.from_numpy(noise), torch.from_numpy(category)).numpy()
    assert np.array_equal(loaded, expected)
    assert np.abs(ExportedGenerator(tmp_path / "generator.onnx").run(noise, category) - expected).max() <= TOLERANCE
