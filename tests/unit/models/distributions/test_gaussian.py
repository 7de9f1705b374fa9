"""A Gaussian over images: its density, draws and conditionals against the same sums done densely."""

import tracemalloc

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from models.distributions.gaussian import LEVEL, ROUNDING, condition, to_values, upsample
from models.errors import InputError
from tests.gaussians import dense_covariance, small_gaussian


def to_state(gaussian, lengthscale=1.3):
    """The same Gaussian as the buffers of a fitted generator with one category."""
    low = gaussian.loadings.reshape(len(gaussian.loadings), -1)
    fields = {"mean": gaussian.mean, "loadings": low, "deviation": gaussian.deviation, "channels": gaussian.channels}
    scalars = {"share": gaussian.share, "lengthscale": lengthscale}
    return {name: np.asarray(value)[None] for name, value in (fields | scalars).items()}


def draw_bytes(gaussian, seed=1):
    image = gaussian.draw(1, np.random.default_rng(seed))[0].transpose(1, 2, 0)
    return np.clip((image + 1) / LEVEL, 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 2])
def test_products_and_density_are_those_of_the_dense_covariance(channels):
    gaussian = small_gaussian(channels)
    covariance = dense_covariance(gaussian)
    images = gaussian.draw(4, np.random.default_rng(1))
    product = gaussian.covary(images).reshape(4, -1)
    np.testing.assert_allclose(product, images.reshape(4, -1) @ covariance, atol=1e-10)
    density = -multivariate_normal(gaussian.mean.ravel(), covariance).logpdf(images.reshape(4, -1))
    dequantised = density + 0.5 * ROUNDING * np.trace(np.linalg.inv(covariance))
    np.testing.assert_allclose(gaussian.negative_log_density(images), dequantised, rtol=1e-9)


def test_draws_have_the_mean_and_the_covariance():
    gaussian = small_gaussian(1, 5)
    draws = gaussian.draw(20_000, np.random.default_rng(3)).reshape(20_000, -1)
    covariance = dense_covariance(gaussian)
    np.testing.assert_allclose(draws.mean(0), gaussian.mean.ravel(), atol=0.01)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.05 * covariance.max())


def test_a_masked_area_gets_the_conditional_mean_and_deviation_in_closed_form():
    gaussian = small_gaussian(2)
    image, covariance = draw_bytes(gaussian), dense_covariance(gaussian)
    mask = np.zeros((6, 6), bool)
    mask[2:4, 1:5] = True
    hidden = np.broadcast_to(mask, (2, 6, 6)).ravel()
    inverse = np.linalg.inv(covariance[~hidden][:, ~hidden] + ROUNDING * np.eye((~hidden).sum()))
    gain = covariance[hidden][:, ~hidden] @ inverse
    known = to_values(image).ravel()[~hidden] - gaussian.mean.ravel()[~hidden]
    mean = gaussian.mean.ravel()[hidden] + gain @ known
    spread = np.sqrt(np.diag(covariance[hidden][:, hidden] - gain @ covariance[~hidden][:, hidden])) / LEVEL

    filled = condition(to_state(gaussian), image, mask, 0, draws=2000)
    expected = np.clip(np.floor((mean + 1) / LEVEL + 0.5), 0, 255)
    np.testing.assert_array_equal(filled.mean.transpose(2, 0, 1).ravel()[hidden], expected)
    np.testing.assert_allclose(filled.deviation.transpose(2, 0, 1).ravel()[hidden], spread, rtol=0.1)
    for kept in (filled.mean, filled.sample):
        np.testing.assert_array_equal(kept[~mask], image[~mask])
    assert not filled.deviation[~mask].any()
    assert (filled.sample[mask] != filled.mean[mask]).any()


def test_a_fill_is_the_same_for_the_same_seed_and_another_for_another():
    gaussian = small_gaussian()
    image, mask = draw_bytes(gaussian), np.eye(6, dtype=bool)
    once, again, other = (condition(to_state(gaussian), image, mask, 0, seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(once.sample, again.sample)
    assert (once.sample != other.sample).any()
    np.testing.assert_array_equal(once.mean, other.mean)


def test_nothing_hidden_changes_nothing_and_all_hidden_gives_the_mean():
    gaussian = small_gaussian()
    image = draw_bytes(gaussian)
    untouched = condition(to_state(gaussian), image, np.zeros((6, 6), bool), 0)
    np.testing.assert_array_equal(untouched.mean, image)
    blank = condition(to_state(gaussian), image, np.ones((6, 6), bool), 0)
    np.testing.assert_allclose(to_values(blank.mean)[0], gaussian.mean, atol=0.51 * LEVEL)


def test_an_enlarged_image_averages_back_to_the_small_one():
    gaussian = small_gaussian(1)
    small = draw_bytes(gaussian).reshape(3, 2, 3, 2, 1).mean((1, 3)).round().astype(np.uint8)
    large = upsample(to_state(gaussian), small, 2, 0)
    for image in (large.mean, large.sample):
        averages = image.reshape(3, 2, 3, 2, 1).mean((1, 3))
        np.testing.assert_allclose(averages, small, atol=2)
    boxes = np.kron(np.eye(3), np.full((1, 2), 0.5))
    observe, covariance = np.kron(boxes, boxes), dense_covariance(gaussian)
    gain = covariance @ observe.T @ np.linalg.inv(observe @ covariance @ observe.T + ROUNDING * np.eye(9))
    mean = gaussian.mean.ravel() + gain @ (to_values(small).ravel() - observe @ gaussian.mean.ravel())
    np.testing.assert_allclose(to_values(large.mean).ravel(), mean, atol=0.51 * LEVEL)


def test_large_colour_images_are_filled_without_a_dense_covariance():
    generator = np.random.default_rng(0)
    state = {
        "mean": np.zeros((1, 3, 64, 64), np.float32),
        "loadings": generator.normal(0, 0.1, (1, 8, 3 * 64 * 64)).astype(np.float32),
        "deviation": np.full((1, 3, 64, 64), 0.2, np.float32),
        "lengthscale": np.ones(1, np.float32),
        "share": np.full(1, 0.8, np.float32),
        "channels": np.eye(3, dtype=np.float32)[None],
    }
    image, mask = np.full((64, 64, 3), 140, np.uint8), np.zeros((64, 64), bool)
    mask[24:40, 24:40] = True
    tracemalloc.start()
    condition(state, image, mask, 0, draws=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (3 * 64 * 64) ** 2  # an eighth of what the covariance would take


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s, i: condition(s, i[:4], np.zeros((6, 6), bool), 0), r"^image shape: got \(4, 6, 2\), allowed: \(6"),
        (lambda s, i: condition(s, i, np.zeros((6, 5), bool), 0), r"^mask shape: got \(6, 5\)"),
        (lambda s, i: condition(s, i, np.zeros((6, 6), bool), 1), r"^category: got 1, allowed: 0 to 0"),
        (lambda s, i: upsample(s, i, 4, 0), r"^factor: got 4, allowed: one of 2, 3, 6"),
        (lambda s, i: upsample(s, i, 2, 0), r"^image shape: got \(6, 6, 2\), allowed: \(3, 3, 2\)"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(call, message):
    gaussian = small_gaussian()
    with pytest.raises(InputError, match=message):
        call(to_state(gaussian), draw_bytes(gaussian))
