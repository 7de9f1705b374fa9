import math

import pytest
import torch
from torch.nn import functional

from models.losses.games import GAMES

REAL, FAKE = torch.tensor([2.0, -0.5, 0.0]), torch.tensor([-3.0, 0.5])


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def mean(values):
    return sum(values) / len(values)


DISCRIMINATOR = {
    "non-saturating": -mean([math.log(sigmoid(x)) for x in (2, -0.5, 0)])
    - mean([math.log(1 - sigmoid(x)) for x in (-3, 0.5)]),
    "least-squares": mean([1, 2.25, 1]) / 2 + mean([9, 0.25]) / 2,
    "wasserstein": -1.25 - 0.5,
    "hinge": mean([0, 1.5, 1]) + mean([0, 1.5]),
}
GENERATOR = {
    "non-saturating": -mean([math.log(sigmoid(x)) for x in (-3, 0.5)]),
    "least-squares": mean([16, 0.25]) / 2,
    "wasserstein": 1.25,
    "hinge": 1.25,
}


def test_every_game_is_checked():
    assert set(GAMES) == set(DISCRIMINATOR) == set(GENERATOR)


@pytest.mark.parametrize("name", GAMES)
def test_the_losses_are_the_papers(name):
    game = GAMES[name]
    torch.testing.assert_close(game.discriminator(REAL, FAKE), torch.tensor(float(DISCRIMINATOR[name])))
    torch.testing.assert_close(game.generator(FAKE), torch.tensor(float(GENERATOR[name])))


def test_the_likelihood_game_is_binary_cross_entropy():
    entropy = functional.binary_cross_entropy_with_logits
    game = GAMES["non-saturating"]
    expected = entropy(REAL, torch.ones(3)) + entropy(FAKE, torch.zeros(2))
    torch.testing.assert_close(game.discriminator(REAL, FAKE), expected)
    torch.testing.assert_close(game.generator(FAKE), entropy(FAKE, torch.ones(2)))


@pytest.mark.parametrize("name", GAMES)
def test_large_logits_give_finite_losses(name):
    far = torch.tensor([1e4, -1e4])
    assert torch.isfinite(GAMES[name].discriminator(far, far))
    assert torch.isfinite(GAMES[name].generator(far))


@pytest.mark.parametrize("name", GAMES)
def test_the_two_networks_pull_a_generated_image_opposite_ways(name):
    logits = torch.tensor([0.1, -0.2], requires_grad=True)
    (down,) = torch.autograd.grad(GAMES[name].discriminator(torch.zeros(2), logits), logits)
    (up,) = torch.autograd.grad(GAMES[name].generator(logits), logits)
    assert bool((up < 0).all())
    if name != "least-squares":  # whose discriminator wants 0, on both sides of which there are logits
        assert bool((down > 0).all())
    else:
        assert (down > 0).tolist() == [True, False]
