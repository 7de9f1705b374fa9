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


FIGURES = {
    "non-saturating": (
        -mean([math.log(sigmoid(x)) for x in (2, -0.5, 0)]) - mean([math.log(1 - sigmoid(x)) for x in (-3, 0.5)]),
        -mean([math.log(sigmoid(x)) for x in (-3, 0.5)]),
    ),
    "least-squares": (mean([1, 2.25, 1]) / 2 + mean([9, 0.25]) / 2, mean([16, 0.25]) / 2),
    "wasserstein": (-1.25 - 0.5, 1.25),
    "hinge": (mean([0, 1.5, 1]) + mean([0, 1.5]), 1.25),
}
"""The losses of the discriminator and of the generator, worked out from the papers."""


@pytest.mark.parametrize("name", GAMES)
def test_the_losses_are_the_papers(name):
    game, (discriminator, generator) = GAMES[name], FIGURES[name]
    torch.testing.assert_close(game.discriminator(REAL, FAKE), torch.tensor(float(discriminator)))
    torch.testing.assert_close(game.generator(REAL, FAKE), torch.tensor(float(generator)))


def test_the_likelihood_game_is_binary_cross_entropy():
    entropy = functional.binary_cross_entropy_with_logits
    game = GAMES["non-saturating"]
    expected = entropy(REAL, torch.ones(3)) + entropy(FAKE, torch.zeros(2))
    torch.testing.assert_close(game.discriminator(REAL, FAKE), expected)
    torch.testing.assert_close(game.generator(REAL, FAKE), entropy(FAKE, torch.ones(2)))


@pytest.mark.parametrize("name", GAMES)
def test_large_logits_give_finite_losses(name):
    far = torch.tensor([1e4, -1e4])
    assert torch.isfinite(GAMES[name].discriminator(far, far))
    assert torch.isfinite(GAMES[name].generator(far, far))


@pytest.mark.parametrize("name", GAMES)
def test_the_two_networks_pull_a_generated_image_opposite_ways(name):
    logits = torch.tensor([0.1, 0.3], requires_grad=True)
    (down,) = torch.autograd.grad(GAMES[name].discriminator(torch.zeros(2), logits), logits)
    (up,) = torch.autograd.grad(GAMES[name].generator(torch.zeros(2), logits), logits)
    assert bool((up < 0).all())
    assert bool((down > 0).all())


@pytest.mark.parametrize("name", GAMES)
def test_a_game_says_whether_its_generator_is_judged_beside_real_images(name):
    losses = {float(GAMES[name].generator(real, FAKE)) for real in (REAL, REAL - 1.3, -2 * REAL)}
    assert (len(losses) > 1) == GAMES[name].relativistic
