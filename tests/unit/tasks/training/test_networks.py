"""A family's networks for a prepared set: the seed's, or those of given weights."""

import pytest
import torch

from models.generators.dcgan import DCGANConfig
from models.generators.gp import GPConfig
from models.training.initial import NETWORKS_FILE, write_networks
from tasks.training.initial import Initial
from tasks.training.networks import build_family, build_gradient_family, load_initial
from tests.prepared import write_prepared

SMALL = DCGANConfig(width=8, latent=8, seed=3)


@pytest.fixture
def prepared(tmp_path):
    return write_prepared(tmp_path / "prepared", channels=3)


def weights(family):
    return {
        f"{key}.{name}": value.clone()
        for key, network in family.networks.items()
        for name, value in network.state_dict().items()
    }


def test_the_networks_fit_the_prepared_images_and_are_the_seeds(prepared):
    first, again = build_family(SMALL, prepared), build_family(SMALL, prepared)
    assert (first.shape.channels, first.shape.size, first.shape.categories) == (3, 32, 2)
    assert all(torch.equal(value, weights(again)[name]) for name, value in weights(first).items())
    other = weights(build_family(SMALL.model_copy(update={"seed": 4}), prepared))
    assert not all(torch.equal(value, other[name]) for name, value in weights(first).items())


def test_only_what_is_trained_by_gradients_is_given_to_the_trainer(prepared):
    assert build_gradient_family(SMALL, prepared).config == SMALL
    with pytest.raises(TypeError, match="gp is not trained by gradients"):
        build_gradient_family(GPConfig(rank=4), prepared)


def test_given_weights_take_the_place_of_the_seeds(prepared, tmp_path):
    given = weights(build_family(SMALL.model_copy(update={"seed": 9}), prepared))
    write_networks(tmp_path, given)
    family = build_family(SMALL.model_copy(update={"init_from": NETWORKS_FILE}), prepared)
    started = load_initial(family, Initial(tmp_path / NETWORKS_FILE, "0" * 64, NETWORKS_FILE))
    assert started is not None
    assert started.text
    assert all(torch.equal(value, given[name]) for name, value in weights(family).items())


def test_without_given_weights_the_seeds_stay(prepared):
    family = build_family(SMALL, prepared)
    before = weights(family)
    assert load_initial(family, None) is None
    assert all(torch.equal(value, before[name]) for name, value in weights(family).items())


def test_a_fitted_family_starts_from_nothing(prepared, tmp_path):
    family = build_family(GPConfig(rank=4), prepared)
    assert load_initial(family, Initial(tmp_path / NETWORKS_FILE, "0" * 64, "x")) is None
