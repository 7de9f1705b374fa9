"""The Markov random field: its neighbours, its pseudo-likelihood, its Gibbs sampler, each against an enumeration."""

import itertools

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.errors import TrainingError
from models.exported.generator import export_generator
from models.families.family import ImageShape
from models.generators.mrf import (
    MRF,
    Checkerboard,
    Generator,
    MRFConfig,
    find_styles,
    pseudo_likelihood,
    quantise,
    tabulate,
)
from models.training.validation import sample
from tests.trainings import CATEGORIES, build_family, draw_images

UNARY = torch.tensor([[0.0, 0.4], [0.3, 0.0], [0.0, -0.5], [0.2, 0.0]])  # of the four sites of a 2x2 image
PAIRS = torch.tensor([[[0.9, 0.0], [0.0, 0.9]], [[0.0, 0.7], [0.2, 0.0]]])  # across alike, down unlike
STATES = torch.tensor(list(itertools.product((0, 1), repeat=4))).view(-1, 1, 2, 2)
COUPLING = 0.9 + 0.9, 0.0 - 0.7 - 0.2


def tell(*_):
    pass


def log_weight(state):
    """The exponent of the 2x2 field, term by term."""
    rows = state[0]
    unary = sum(UNARY[site, level] for site, level in enumerate(rows.flatten()))
    across = sum(PAIRS[0][row[0], row[1]] for row in rows)
    down = sum(PAIRS[1][rows[0, column], rows[1, column]] for column in (0, 1))
    return unary + across + down


PROBABILITIES = torch.stack([log_weight(state) for state in STATES]).softmax(0)


@pytest.fixture(scope="module", params=[1, 3])
def fitted(request):
    images, labels = draw_images(128, channels=request.param)
    family = build_family("mrf", request.param, levels=4, styles=2, sweeps=2, iterations=60, batch_size=16)
    torch.manual_seed(0)
    return family, family.fit(images, labels, tell), images, labels


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 5, 5), (3, 3, 3)])
def test_each_site_knows_its_neighbours_of_the_other_colour(shape):
    board = Checkerboard(shape)
    assert sorted(np.concatenate(board.sites)) == list(range(np.prod(shape)))
    for which in (0, 1):
        others = board.sites[1 - which]
        for column, site in enumerate(board.sites[which]):
            place = np.array(np.unravel_index(site, shape))
            for row, axis in enumerate(board.axes):
                for side, step in enumerate((-1, 1)):
                    found, there = board.neighbours[which][row, side, column], place.copy()
                    there[axis] += step
                    if 0 <= there[axis] < shape[axis]:
                        assert others[found] == np.ravel_multi_index(there, shape)
                    else:
                        assert found == len(others)


def test_the_pseudo_likelihood_is_the_product_of_the_conditionals():
    for state in STATES[:6]:
        costs = []
        for site in range(4):
            other = state.clone()
            other.view(-1)[site] = 1 - other.view(-1)[site]
            costs.append(torch.log1p(torch.exp(log_weight(other) - log_weight(state))))
        found = pseudo_likelihood(state[None].to(torch.uint8), UNARY[None], PAIRS, [2, 1])
        torch.testing.assert_close(found, torch.stack(costs).mean())


def test_channels_are_neighbours_too():
    levels = torch.tensor([0, 1, 1], dtype=torch.uint8).view(1, 3, 1, 1)
    unary, pairs = torch.zeros(1, 3, 2), torch.zeros(1, 2, 2)
    pairs[0, 0, 1] = 2.0  # 0 before 1
    # The first site's level is ahead of the other one by 2; at the second either makes a pair; the third is free.
    expected = np.mean([np.log1p(np.exp(-ahead)) for ahead in (2, 0, 0)])
    assert float(pseudo_likelihood(levels, unary, pairs, [0])) == pytest.approx(expected)


def test_gibbs_sampling_reaches_the_exact_distribution():
    config = MRFConfig(levels=2, styles=1, sweeps=20)
    generator = Generator(config, ImageShape(1, 2, 1))
    generator.unary.copy_(UNARY[None].exp())
    generator.pairs.copy_(tabulate(PAIRS[None]))
    noise = torch.randn(20_000, 1 + 21 * 4, generator=torch.Generator().manual_seed(0))
    images = generator(noise, torch.zeros(20_000, dtype=torch.int64)).flatten(1)
    exact = (PROBABILITIES[:, None] * (2.0 * STATES.flatten(1) - 1)).sum(0)
    torch.testing.assert_close(images.mean(0), exact, atol=0.015, rtol=0)


def test_the_fit_finds_the_potentials_that_made_the_images():
    chosen = torch.multinomial(PROBABILITIES, 6000, replacement=True, generator=torch.Generator().manual_seed(1))
    images = (255 * STATES[chosen]).permute(0, 2, 3, 1).numpy().astype(np.uint8)
    family = MRF(MRFConfig(levels=2, styles=1, iterations=400, batch_size=512), ImageShape(1, 2, 1))
    torch.manual_seed(0)
    family.fit(images, np.zeros(6000, np.int64), tell)
    table = family.generator.pairs.log().view(2, 3, 3, 2)[:, :2, 2]  # by the level before; none behind
    found = table[:, 0, 0] + table[:, 1, 1] - table[:, 0, 1] - table[:, 1, 0]
    torch.testing.assert_close(found, torch.tensor(COUPLING), atol=0.2, rtol=0)
    np.testing.assert_allclose(family.generator.means, [-1, 1])


def test_the_quantiser_finds_the_greys_there_are():
    images = np.random.default_rng(0).choice(np.array([3, 90, 200], np.uint8), (4, 5, 6, 1))
    levels, means = quantise(images, 3)
    assert means.tolist() == [3, 90, 200]
    assert levels.shape == (4, 1, 5, 6)
    np.testing.assert_array_equal(means[levels.long()].permute(0, 2, 3, 1), images)


def test_styles_are_the_groups_within_a_category_and_need_images_enough():
    bright = np.arange(200) % 3 == 0
    images = np.where(bright, 200, 20).astype(np.uint8)[:, None, None, None].repeat(8, 1).repeat(8, 2)
    labels = np.where(np.arange(200) < 180, 0, 1)
    styles = find_styles(images, labels, 3, seed=0).numpy()
    assert not np.intersect1d(styles[:180][bright[:180]], styles[:180][~bright[:180]]).size
    assert not styles[180:].any()  # 20 images are too few for two styles


def test_samples_are_the_images_categories(fitted):
    family, figures, images, labels = fitted
    made, categories = sample(family, family.generator, 100, seed=0)
    for category in range(len(CATEGORIES)):
        real = images[labels == category].astype(float).mean(0)
        assert np.abs(made[categories == category].astype(float).mean(0) - real).mean() < 10
    assert 0 < figures["pseudo_likelihood_bits_per_pixel"] < 2  # four levels without any knowledge


def test_styles_are_drawn_as_often_as_they_were_seen(fitted):
    family, _, _, _ = fitted
    seen = family.generator.style_ends
    assert seen.shape == (2, 2)
    torch.testing.assert_close(seen[:, -1], torch.ones(2))


def test_the_exported_file_draws_the_same_levels(fitted, tmp_path):
    family, _, _, _ = fitted
    weights = tmp_path / "generator.safetensors"
    save_file({name: value.contiguous() for name, value in family.generator.state_dict().items()}, weights)
    assert export_generator(family, weights, CATEGORIES, tmp_path / "generator.onnx") < 1e-5


def test_a_category_without_images_is_named():
    images, _ = draw_images(8)
    with pytest.raises(TrainingError, match="category 1 has no images, mrf needs some of each"):
        build_family("mrf").fit(images, np.zeros(8, np.int64), tell)
