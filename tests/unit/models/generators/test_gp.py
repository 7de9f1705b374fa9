"""The Gaussian process: its fit, its density and its conditioning against the same sums done densely."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file

from models.distributions.gaussian import ImageGaussian, condition, rbf_kernel
from models.errors import TrainingError
from models.exported.generator import export_generator
from models.generators.gp import Generator, fit_kernel, fit_loadings
from models.training.validation import mean_bits, sample
from tests.gaussians import dense_covariance, small_gaussian
from tests.trainings import CATEGORIES, build_family, draw_images


def tell(*_):
    pass


@pytest.fixture(scope="module", params=[1, 3])
def fitted(request):
    images, labels = draw_images(200, channels=request.param)
    family = build_family("gp", request.param)
    figures = family.fit(images, labels, tell)
    return family, figures, images, labels


def test_the_loadings_are_those_of_probabilistic_pca():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(500, 4, generator=generator) @ torch.randn(4, 30, generator=generator)
    values += 0.1 * torch.randn(500, 30, generator=generator)
    values -= values.mean(0)
    loadings, part = fit_loadings(values, 4)
    variances, directions = torch.linalg.eigh(values.T @ values / 500)
    noise = variances[:-4].mean()
    expected = directions[:, -4:] @ torch.diag(variances[-4:] - noise) @ directions[:, -4:].T
    torch.testing.assert_close(loadings.T @ loadings, expected, atol=1e-3, rtol=1e-3)
    assert part == pytest.approx(float(variances[-4:].sum() / variances.sum()), abs=1e-4)


def test_more_directions_than_images_are_left_empty():
    values = torch.randn(5, 40)
    loadings, part = fit_loadings(values - values.mean(0), 8)
    assert loadings.shape == (8, 40)
    assert not loadings[4:].any()
    assert part == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("lengthscale", "share"), [(1.4, 0.8), (2.8, 0.4)])
def test_the_kernel_that_made_the_fields_is_found(lengthscale, share):
    flat = np.zeros((1, 16, 16))
    made = ImageGaussian(flat, flat[None][:0], flat + 1, rbf_kernel(16, lengthscale), np.ones((1, 1)), share)
    found = fit_kernel(made.draw(100, np.random.default_rng(0)), np.ones((1, 1)))
    assert found[0] == lengthscale
    assert found[1] == pytest.approx(share, abs=0.16)


def test_samples_are_the_images_categories(fitted):
    family, figures, images, labels = fitted
    made, categories = sample(family, family.generator, 100, seed=0)
    for category in range(len(CATEGORIES)):
        real = images[labels == category].astype(float).mean(0)
        assert np.abs(made[categories == category].astype(float).mean(0) - real).mean() < 8
    assert set(figures) == {"explained_variance", "lengthscale", "kernel_share"}
    assert 0 < figures["explained_variance"] < 1


def test_the_generator_draws_from_what_was_fitted_without_the_pixel_noise():
    generator = Generator(2, build_family("gp").shape._replace(size=5, categories=2))
    made = small_gaussian(1, 5)
    made = ImageGaussian(0 * made.mean, made.loadings[:2], made.deviation, made.axis, np.ones((1, 1)), 0.7)
    generator.keep(1, made, 1.3)
    with torch.no_grad():
        images = generator(torch.randn(20_000, 2 + 25), torch.ones(20_000, dtype=torch.int64)).flatten(1)
    noise = np.diag(0.3 * made.deviation.ravel() ** 2)
    expected = dense_covariance(made) - noise
    np.testing.assert_allclose(torch.cov(images.T).numpy(), expected, atol=0.06 * expected.max())


def test_bits_per_dimension_favour_the_right_category(fitted):
    family, _, _, _ = fitted
    images, labels = draw_images(20, family.shape.channels, seed=9)
    right, wrong = mean_bits(family, images, labels), mean_bits(family, images, 1 - labels)
    # Noise that is uniform over 60 grey levels cannot be told in fewer bits.
    assert np.log2(60) < right < np.log2(60) + 1 < wrong


def test_the_weights_alone_condition_and_the_exported_file_is_the_same_generator(fitted, tmp_path):
    family, _, images, _ = fitted
    weights = tmp_path / "generator.safetensors"
    save_file({name: value.contiguous() for name, value in family.generator.state_dict().items()}, weights)
    mask = np.zeros((32, 32), bool)
    mask[12:20] = True
    filled = condition(load_file(weights), images[1], mask, 1)
    missing = np.abs(filled.mean.astype(float) - images[1])[mask].mean()
    assert missing < 20  # the noise of the drawn images alone is 15
    assert export_generator(family, weights, CATEGORIES, tmp_path / "generator.onnx") < 1e-5


def test_a_category_without_images_is_named():
    images, _ = draw_images(8)
    with pytest.raises(TrainingError, match="category 1 has 0 images, gp needs at least 2 of each"):
        build_family("gp").fit(images, np.zeros(8, np.int64), tell)
