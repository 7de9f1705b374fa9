"""What every family must hold, whatever its algorithm."""

import pytest
import torch
import yaml
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch.optim import SGD, Adam

from models.families.discovery import load_family
from models.families.family import FittedFamily, GradientConfig, GradientFamily, Parts, penalise_weights
from models.pixels import to_planes, to_signed
from tasks.workspace.parameters import load_recipe
from tasks.workspace.settings import SOURCE
from tests.families import EDITING, FAMILIES, GENERATING, GRADIENT
from tests.trainings import CATEGORIES, build_family, build_trainer, draw_images, small, variants

BLOCKS = yaml.safe_load((SOURCE / "params.yaml").read_text())["families"]


EVERY = [(name, changes) for name in GENERATING for changes in variants(name)]
EVERY_GRADIENT = [(name, changes) for name, changes in EVERY if name in GRADIENT]


def batch(channels):
    images, labels = draw_images(16, channels)
    return to_signed(to_planes(images)), torch.from_numpy(labels)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_says_what_it_is(name):
    family = load_family(name)
    for line in (family.title, family.paper):
        assert line.strip() == line != ""
        assert "\n" not in line


@pytest.mark.parametrize("name", FAMILIES)
def test_the_defaults_are_valid_and_the_recipe_of_its_name_is_the_familys(name):
    config = load_family(name).Config
    assert config() == config(family=name)
    assert isinstance(load_recipe(SOURCE, name, {}), config)
    assert BLOCKS[name]["family"] == name


def learn(family):
    """Move all that training moves: weights and the norms' statistics."""
    images, labels = draw_images(16, family.shape.channels)
    if isinstance(family, FittedFamily):
        family.fit(images, labels, lambda *_: None)
        return family
    rules = {name: Adam(network.parameters(), 0.01) for name, network in family.networks.items()}

    def update(network, loss):
        rules[network].zero_grad()
        loss.backward()
        rules[network].step()

    for _ in range(3):
        family.step(Parts(family.networks, update), *batch(family.shape.channels))
    return family


def draw(family):
    """What the network makes of inputs that are the same at every call."""
    torch.manual_seed(0)
    with torch.inference_mode():
        if family.config.family in EDITING:
            return family.generator.eval()(*family.sample_inputs(32, 48).values())
        return family.generator.eval()(torch.randn(5, family.latent), torch.arange(5) % len(CATEGORIES))


@pytest.mark.parametrize("name", FAMILIES)
def test_saved_and_loaded_it_draws_the_same(name, tmp_path):
    learned, weights = learn(small(name)), tmp_path / "generator.safetensors"
    save_file({key: value.contiguous() for key, value in learned.generator.state_dict().items()}, weights)
    loaded = small(name, seed=1)
    assert not torch.equal(draw(loaded), draw(learned))
    loaded.generator.load_state_dict(load_file(weights))
    assert torch.equal(draw(loaded), draw(learned))


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


@pytest.mark.parametrize(("name", "changes"), EVERY_GRADIENT)
def test_each_network_overfits_one_batch_while_the_others_stand_still(name, changes):
    channels = 3 if changes.get("conditional") else 1
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


def wrong_values(shape):
    """Values that a parameter's JSON schema does not allow: beyond its bounds, or no choice of it."""
    if "anyOf" in shape:
        return [value for one in shape["anyOf"] if one.get("type") != "null" for value in wrong_values(one)]
    if shape.keys() & {"enum", "const"}:
        return ["no such choice"]
    if shape.get("type") in ("integer", "number"):
        below = [shape[key] - less for key, less in (("minimum", 1), ("exclusiveMinimum", 0)) if key in shape]
        above = [shape[key] + more for key, more in (("maximum", 1), ("exclusiveMaximum", 0)) if key in shape]
        assert below, "no lower bound"
        assert above, "no upper bound"
        return below + above
    if shape.get("type") == "boolean":
        return ["perhaps"]
    if shape.get("type") == "string":
        return [3]
    return [{"no such parameter": 1}]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_parameter_is_described_and_has_bounds_that_hold(name):
    config = load_family(name).Config
    shapes = config.model_json_schema()["properties"]
    for key in config.model_fields.keys() - {"family"}:
        assert shapes[key].get("description"), key
        for value in wrong_values(shapes[key]):
            with pytest.raises(ValidationError) as refusal:
                config(family=name, **{key: value})
            assert refusal.value.errors()[0]["loc"][0] == key


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
