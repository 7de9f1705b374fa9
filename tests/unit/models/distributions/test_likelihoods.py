import math

import pytest
import torch

from models.distributions.likelihoods import Mixture, bits_per_dimension, log_probability, nearest_level

LEVELS = torch.arange(256) / 127.5 - 1


@pytest.mark.parametrize("mean", [-1.5, -1.0, -0.3, 0.0, 0.999, 2.0])
@pytest.mark.parametrize("log_scale", [-9.0, -7.0, -4.0, -1.0, 2.0])
def test_the_probabilities_of_the_levels_sum_to_1(mean, log_scale):
    found = log_probability(LEVELS, torch.tensor(mean), torch.tensor(log_scale))
    assert torch.isfinite(found).all()
    assert found.exp().sum().item() == pytest.approx(1, abs=1e-4)


def test_a_level_has_the_logistics_mass_between_its_edges():
    mean, scale = 0.1, 0.05
    levels = torch.arange(256).double() / 127.5 - 1
    edges = torch.cat((torch.tensor([-torch.inf]), levels[:-1] + 1 / 255, torch.tensor([torch.inf])))
    mass = torch.sigmoid((edges - mean) / scale).diff()
    found = log_probability(levels, *torch.tensor([mean, math.log(scale)], dtype=torch.float64)).exp()
    torch.testing.assert_close(found, mass, atol=1e-12, rtol=1e-8)


def test_far_from_the_mean_the_gradient_still_points_there():
    means = torch.tensor([-1.0, 1.0], requires_grad=True)
    log_probability(torch.tensor([0.5, -0.5]), means, torch.tensor(-7.0)).sum().backward()
    assert means.grad[0] > 0
    assert means.grad[1] < 0


def test_even_chances_cost_8_bits():
    even = torch.full((2, 3, 4, 4), -math.log(256))
    torch.testing.assert_close(bits_per_dimension(even, 48), torch.tensor([8.0, 8.0]))


def along(chances):
    """The same mixture for every place of a further axis."""
    return Mixture(*(part[..., None] for part in chances))


def mixture(channels, components=3, count=1):
    torch.manual_seed(1)
    numbers = torch.randn(count, Mixture.numbers(channels, components))
    numbers[:, -components * channels :] *= 0.5
    return Mixture.read(numbers, channels)


def test_a_mixture_sums_to_1_over_all_grey_pixels():
    chances = mixture(1)._replace(log_scales=torch.full((1, 1, 3), -3.0))
    total = along(chances).log_probability(LEVELS[None, None])
    assert total.shape == (1, 256)
    assert total.exp().sum().item() == pytest.approx(1, abs=1e-4)


def test_a_mixture_sums_to_1_over_all_colours():
    # The last channel is summed over all levels and the first two over every 15th, a grid that resolves this scale.
    chances = mixture(3)._replace(log_scales=torch.full((1, 3, 3), -0.5))
    coarse = torch.arange(0, 256, 15)
    grid = torch.cartesian_prod(LEVELS[coarse], LEVELS[coarse], LEVELS).T[None]
    found = along(chances).log_probability(grid).exp().view(len(coarse), len(coarse), 256).sum(-1)
    assert found.shape == (18, 18)
    pairs = torch.cartesian_prod(LEVELS[coarse], LEVELS[coarse]).T[None]
    two = Mixture.read(torch.zeros(1, Mixture.numbers(2, 3)), 2)._replace(
        logits=chances.logits,
        means=chances.means[:, :2],
        log_scales=chances.log_scales[:, :2],
        couplings=chances.couplings[:, :1],
    )
    torch.testing.assert_close(found.flatten(), along(two).log_probability(pairs).exp()[0], atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_draws_have_the_mixtures_own_frequencies(channels):
    count = 40_000
    numbers = torch.randn(1, Mixture.numbers(channels, 3), generator=torch.Generator().manual_seed(2))
    chances = Mixture.read(numbers.expand(count, -1), channels)
    chances = chances._replace(log_scales=torch.full_like(chances.log_scales, -2.0))
    latent = torch.randn(count, 1 + channels, generator=torch.Generator().manual_seed(3))
    drawn = chances.draw(latent)
    assert drawn.shape == (count, channels)
    torch.testing.assert_close(nearest_level(drawn), drawn)
    counted = torch.bincount(((drawn[:, 0] + 1) * 127.5).round().long(), minlength=256) / count
    first = Mixture(chances.logits[:1], chances.means[:1, :1], chances.log_scales[:1, :1], chances.couplings[:1, :0])
    expected = along(first).log_probability(LEVELS[None, None]).exp()[0]
    assert (counted.cumsum(0) - expected.cumsum(0)).abs().max() < 1.95 / count**0.5  # Kolmogorov-Smirnov, p = 0.001


def test_later_channels_are_drawn_around_what_earlier_ones_say():
    count, scale = 2000, 0.01
    sizes = (count, 3, 1)
    means, couplings = torch.tensor([0.0, 0.1, -0.2]).view(1, 3, 1), torch.tensor([0.5, -0.7, 0.3]).view(1, 3, 1)
    log_scales = torch.tensor([0.3, scale, scale]).log().view(1, 3, 1)
    chances = Mixture(torch.zeros(count, 1), *(part.expand(sizes) for part in (means, log_scales, couplings)))
    red, green, blue = chances.draw(torch.randn(count, 4, generator=torch.Generator().manual_seed(5))).T
    assert red.std() > 0.3
    for residual in (green - 0.1 - 0.5 * red, blue + 0.2 + 0.7 * red - 0.3 * green):
        inside = residual[(green.abs() < 1) & (blue.abs() < 1)]
        assert abs(inside.mean()) < scale / 5
        assert inside.std() < 2.5 * scale  # a logistic's deviation is 1.8 scales


def test_a_draw_is_the_same_for_the_same_numbers_and_finite_at_the_ends():
    chances = mixture(3, count=2)
    ends = torch.tensor([[9.0, -9.0, 9.0, -9.0], [-40.0, 40.0, 0.0, 0.0]])
    drawn = chances.draw(ends)
    assert torch.equal(drawn, chances.draw(ends))
    assert torch.isfinite(drawn).all()
    assert drawn.abs().max() <= 1


@pytest.mark.parametrize(
    ("value", "level"), [(-3.0, 0), (-1.0, 0), (0.0, 128), (0.0039, 128), (0.0040, 128), (3.0, 255)]
)
def test_the_nearest_level_is_one_of_256(value, level):
    assert round((nearest_level(torch.tensor(value)).item() + 1) * 127.5) == level
