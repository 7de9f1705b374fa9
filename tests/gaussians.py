"""Gaussians over images, small enough for their covariance to be written down."""

import numpy as np

from models.distributions.gaussian import ImageGaussian, rbf_kernel


def small_gaussian(channels=2, size=6, seed=0):
    """A Gaussian small enough for its covariance to be written down."""
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(channels, channels))
    correlation = np.corrcoef(mixing) if channels > 1 else np.ones((1, 1))
    return ImageGaussian(
        mean=generator.uniform(-0.3, 0.3, (channels, size, size)),
        loadings=generator.normal(0, 0.1, (3, channels, size, size)),
        deviation=generator.uniform(0.05, 0.2, (channels, size, size)),
        axis=rbf_kernel(size, 1.3),
        channels=0.9 * correlation + 0.1 * np.eye(channels),
        share=0.8,
    )


def dense_covariance(gaussian):
    scale = np.diag(gaussian.deviation.ravel())
    kernel = np.kron(gaussian.channels, np.kron(gaussian.axis, gaussian.axis))
    low = gaussian.loadings.reshape(len(gaussian.loadings), -1)
    return low.T @ low + scale @ (gaussian.share * kernel + (1 - gaussian.share) * np.eye(len(scale))) @ scale
