"""What every family must hold, whatever its algorithm."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.optim import SGD, Adam

from models import FAMILIES, load_family
from models.errors import InputError
from models.families.family import FamilyConfig, FittedFamily, GradientConfig, GradientFamily, Parts, penalise_weights
from models.pixels import to_planes, to_signed
from tests.trainings import CATEGORIES, TINY, build_family, build_trainer, draw_images


def variants(name):
    if "conditional" in load_family(name).Config.model_fields:
        return [{"conditional": False}, {"conditional": True}]
    return [{}]


GENERATIVE = [name for name in FAMILIES if load_family(name).capability == "generate"]
GRADIENT = [name for name in FAMILIES if issubclass(load_family(name), GradientFamily)]
EVERY = [(name, changes) for name in GENERATIVE for changes in variants(name)]
EVERY_GRADIENT = [(name, changes) for name, changes in EVERY if name in GRADIENT]


def batch(channels):
    images, labels = draw_images(16, channels)
    return to_signed(to_planes(images)), torch.from_numpy(labels)


def test_every_family_has_a_tiny_form_for_tests():
    assert set(TINY) == set(FAMILIES)


def test_an_unknown_family_is_named_with_those_there_are():
    with pytest.raises(InputError, match=r"^family: got 'gan', allowed: one of dcgan"):
        load_family("gan")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "changes"), EVERY)
def test_shapes(name, changes, channels):
    family = build_family(name, channels, **changes)
    categories = torch.arange(5) % len(CATEGORIES)
    images = family.generator(torch.randn(5, family.latent), categories)
    assert images.shape == (5, channels, 32, 32)
    assert images.dtype == torch.float32
    assert images.abs().max() <= 1
    assert family.conditional == changes.get("conditional", family.conditional)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_trained_by_gradients_or_fitted(name):
    family = load_family(name)
    assert issubclass(family, GradientFamily) != issubclass(family, FittedFamily)
    assert issubclass(family.Config, GradientConfig) == issubclass(family, GradientFamily)
    assert family.title


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "changes"), EVERY_GRADIENT)
def test_each_network_overfits_one_batch_while_the_others_stand_still(name, changes, channels):
    images, labels = batch(channels)
    for learner in build_family(name, channels, **changes).networks:
        family = build_family(name, channels, **changes)
        optimiser = Adam(family.networks[learner].parameters(), 2e-3)

        def update(network, loss, learner=learner, optimiser=optimiser):
            if network == learner:
                optimiser.zero_grad()
                loss.backward(retain_graph=True)
                optimiser.step()

        losses = []
        for _ in range(40):
            torch.manual_seed(0)  # the same noise every time
            losses.append(float(family.step(Parts(family.networks, update), images, labels)[f"loss_{learner}"]))
        # A likelihood's bits have a floor, and a game's losses may fall below 0.
        fall = 0.8 if family.likelihood is None else 0.1
        assert losses[0] - losses[-1] > fall * abs(losses[0]), learner


@pytest.mark.parametrize("name", FAMILIES)
def test_unknown_parameters_and_other_families_names_are_refused(name):
    config = load_family(name).Config
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        config(family=name, speed=3)
    with pytest.raises(ValidationError, match="family"):
        config(family="another")
    with pytest.raises(ValidationError, match="frozen"):
        config(family=name).seed = 3


BOUNDS = {
    "seed": (-1, 2**31),
    "epochs": (0, 1001),
    "batch_size": (1, 4097),
    "learning_rate": (0, 1.1),
    "beta1": (-0.1, 1.0),
    "beta2": (-0.1, 1.0),
    "l1": (-1e-9, 1.1),
    "l2": (-1e-9, 1.1),
    "ema": (-0.1, 1.0),
    "evaluations_per_epoch": (0, 21),
    "optimiser": ("rmsprop",),
    "decay": ("steps",),
    "precision": ("64-true",),
    "memory_format": ("channels_first",),
    "augment": ({"flip": 2}, {"spin": 1}),
    "init_from": (3,),
    "fresh": ("generator.*",),  # of what?
    "freeze": (["generator.*"],),
}


def shared_fields(name):
    return set((GradientConfig if name in GRADIENT else FamilyConfig).model_fields) - {"family"}


REFUSED = [
    (name, field, value) for name in FAMILIES for field in sorted(shared_fields(name)) for value in BOUNDS[field]
]


@pytest.mark.parametrize(("name", "field", "value"), REFUSED)
def test_values_out_of_bounds_are_refused(name, field, value):
    with pytest.raises(ValidationError) as refusal:
        load_family(name).Config(family=name, **{field: value})
    assert refusal.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize("name", FAMILIES)
def test_every_shared_parameter_has_bounds_that_are_tested_and_a_description(name):
    fields = load_family(name).Config.model_fields
    assert shared_fields(name) <= set(BOUNDS) & set(fields)
    assert all(field.description for key, field in fields.items() if key != "family")


@pytest.mark.parametrize("name", GRADIENT)
def test_the_optimiser_is_the_one_asked_for(name):
    adam = build_family(name, learning_rate=3e-4, beta1=0.4, beta2=0.9)
    sgd = build_family(name, optimiser="sgd", learning_rate=0.02, beta1=0.7)
    rules = [family.optimiser("generator") for family in (adam, sgd)]
    assert [type(rule) for rule in rules] == [Adam, SGD]
    assert (rules[0].defaults["lr"], rules[0].defaults["betas"]) == (3e-4, (0.4, 0.9))
    assert (rules[1].defaults["lr"], rules[1].defaults["momentum"]) == (0.02, 0.7)


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("name", GRADIENT)
def test_one_update_moves_every_weight(name, optimiser, tmp_path):
    trainer = build_trainer(tmp_path, family=build_family(name, optimiser=optimiser, learning_rate=0.1))
    before = {key: weight.detach().clone() for key, weight in trainer._weights().items()}
    trainer.advance()
    assert [key for key, weight in trainer._weights().items() if torch.equal(weight, before[key])] == []


@pytest.mark.parametrize("name", GRADIENT)
def test_the_penalty_is_the_gradient_of_l1_and_l2(name):
    l1, l2 = 0.03, 0.2
    network = build_family(name).networks["generator"]
    kernels = [weight for weight in network.parameters() if weight.ndim > 1]
    penalty = l1 * sum(weight.abs().sum() for weight in kernels) + l2 * sum(weight.square().sum() for weight in kernels)
    expected = torch.autograd.grad(penalty, kernels)
    for weight in network.parameters():
        weight.grad = torch.ones_like(weight)
    penalise_weights(network, l1, l2)
    for weight, gradient in zip(kernels, expected, strict=True):
        torch.testing.assert_close(weight.grad, 1 + gradient)
    assert all(bool((weight.grad == 1).all()) for weight in network.parameters() if weight.ndim == 1)


def test_without_a_penalty_the_gradients_are_untouched():
    network = build_family().networks["generator"]
    for weight in network.parameters():
        weight.grad = torch.full_like(weight, 0.5)
    penalise_weights(network, 0, 0)
    assert all(bool((weight.grad == 0.5).all()) for weight in network.parameters())


@pytest.mark.parametrize(("name", "changes"), EVERY_GRADIENT)
def test_a_training_ends_with_images_that_are_nearer_than_the_first(name, changes, tmp_path):
    config = {"epochs": 30, "ema": 0.9, "learning_rate": 5e-3, "seed": 1, **changes}
    trainer = build_trainer(tmp_path, family=build_family(name, **config))
    trainer.checkpoint_seconds = 60
    real = draw_images()[0].mean(0)
    before = np.abs(trainer.sample(64, 0)[0].mean(0) - real).mean()
    trainer.run()
    assert np.abs(trainer.sample(64, 0)[0].mean(0) - real).mean() < 0.8 * before
