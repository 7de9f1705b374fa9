"""Gaussian process over pixels: a mean and a low-rank-plus-kernel covariance for each category, in closed form."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.arrays import Images, Labels, Values
from models.distributions.gaussian import LEVEL, ImageGaussian, rbf_kernel, transform
from models.errors import TrainingError
from models.families.family import FamilyConfig, FittedFamily, ImageShape, ProgressCallback
from models.pixels import to_planes, to_signed

LENGTHSCALES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
SHARES = (0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.95, 0.98)
KERNEL_IMAGES = 500
"""Images of a category by which the kernel's two numbers are chosen."""


class GPConfig(FamilyConfig):
    """The Gaussian process's parameters; a category is always asked for."""

    family: Literal["gp"] = "gp"
    rank: int = Field(default=64, ge=1, le=512, description="directions of the low-rank covariance, per category")
    noise: float = Field(default=2.0, ge=0.3, le=64, description="least standard deviation of a pixel, grey levels")


class Generator(nn.Module):
    """Noise (N, rank + C S S) and categories (N,) to images (N, C, S, S) in [-1, 1]: draws without the pixel noise.

    Before the fit the buffers hold a prior: mean grey, and a smooth field.
    """

    mean: Tensor
    loadings: Tensor
    deviation: Tensor
    lengthscale: Tensor
    share: Tensor
    channels: Tensor
    axis_root: Tensor
    channel_root: Tensor

    def __init__(self, rank: int, shape: ImageShape) -> None:
        super().__init__()
        self.rank = rank
        pixels = (shape.channels, shape.size, shape.size)
        channels = torch.eye(shape.channels).repeat(shape.categories, 1, 1)
        root = torch.from_numpy(kernel_root(rbf_kernel(shape.size, 1.0))).float()
        buffers = {
            "mean": torch.zeros(shape.categories, *pixels),
            "loadings": torch.zeros(shape.categories, rank, math.prod(pixels)),
            "deviation": torch.full((shape.categories, *pixels), 0.5),
            "lengthscale": torch.ones(shape.categories),
            "share": torch.full((shape.categories,), 0.5),
            "channels": channels,
            "axis_root": root.repeat(shape.categories, 1, 1),
            "channel_root": channels.clone(),
        }
        for name, values in buffers.items():
            self.register_buffer(name, values)

    def forward(self, latent: Tensor, category: Tensor) -> Tensor:
        mean, axis = self.mean[category], self.axis_root[category][:, None]
        # Each code at its category's place, so that the loadings are not copied for every image.
        asked = functional.one_hot(category, len(self.mean)).to(latent.dtype)
        codes = (asked[:, :, None] * latent[:, None, : self.rank]).flatten(1)
        low = (codes @ self.loadings.flatten(0, 1)).view(mean.shape)
        field = axis @ latent[:, self.rank :].view(mean.shape) @ axis.mT
        field = (self.channel_root[category] @ field.flatten(2)).view(mean.shape)
        smooth = self.share[category].sqrt()[:, None, None, None] * self.deviation[category] * field
        return (mean + low + smooth).clamp(-1, 1)

    def keep(self, category: int, fitted: ImageGaussian, lengthscale: float) -> None:
        """Store what was fitted to the images of `category`."""
        values = {
            "mean": fitted.mean,
            "loadings": fitted.loadings.reshape(self.rank, -1),
            "deviation": fitted.deviation,
            "lengthscale": np.float64(lengthscale),
            "share": np.float64(fitted.share),
            "channels": fitted.channels,
            "axis_root": kernel_root(fitted.axis),
            "channel_root": kernel_root(fitted.channels),
        }
        for name, value in values.items():
            self.get_buffer(name)[category] = torch.as_tensor(value)


class GP(FittedFamily):
    """y = mean + W z + kernel field + pixel noise, for each category by itself.

    W is the maximum-likelihood solution of probabilistic PCA (Tipping & Bishop 1999, eq. 7 and 8). What it leaves has a
    standard deviation D at each pixel; the lengthscale of its correlations, an RBF kernel of the positions, and their
    share of the variance maximise its likelihood over a grid (Rasmussen & Williams 2006, section 5.4).
    """

    Config: ClassVar[type[FamilyConfig]] = GPConfig
    title: ClassVar[str] = "Gaussian process over pixels (Tipping & Bishop 1999; Rasmussen & Williams 2006)"
    paper: ClassVar[str] = (
        "Tipping & Bishop: Probabilistic Principal Component Analysis. J. R. Statist. Soc. B 61(3), 1999; "
        "Rasmussen & Williams: Gaussian Processes for Machine Learning. MIT Press 2006"
    )
    likelihood: ClassVar[str | None] = "Gaussian density, uniformly dequantised: an upper bound"

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        super().__init__(config, shape)
        self._config = cast(GPConfig, config)
        self._generator = Generator(self._config.rank, shape)

    @property
    def generator(self) -> nn.Module:
        return self._generator

    @property
    def latent(self) -> int:
        return self._config.rank + self.shape.channels * self.shape.size**2

    @property
    def conditional(self) -> bool:
        return True

    def fit(self, images: Images, labels: Labels, progress: ProgressCallback) -> dict[str, float]:
        explained, scales, shares = [], [], []
        for category in range(self.shape.categories):
            rows = np.flatnonzero(labels == category)
            if len(rows) < 2:
                raise TrainingError(f"category {category} has {len(rows)} images, gp needs at least 2 of each")
            values = to_signed(to_planes(images[rows])).flatten(1)
            mean = values.mean(0)
            values -= mean
            loadings, part = fit_loadings(values, self._config.rank)
            fitted, lengthscale = self._fit_kernel(values, mean, loadings)
            self._generator.keep(category, fitted, lengthscale)
            explained.append(part)
            scales.append(lengthscale)
            shares.append(fitted.share)
            progress(category + 1, self.shape.categories, "categories fitted")
        figures = {"explained_variance": explained, "lengthscale": scales, "kernel_share": shares}
        return {name: float(np.mean(values)) for name, values in figures.items()}

    def _fit_kernel(self, centred: Tensor, mean: Tensor, loadings: Tensor) -> tuple[ImageGaussian, float]:
        """The Gaussian of a category whose centred images are (N, D), and its kernel's lengthscale."""
        pixels = (self.shape.channels, self.shape.size, self.shape.size)
        basis = functional.normalize(loadings, dim=1)
        residuals = centred - (centred @ basis.T) @ basis
        deviation = (residuals.square().mean(0) + (self._config.noise * LEVEL) ** 2).sqrt()
        fields = (residuals[:KERNEL_IMAGES] / deviation).view(-1, *pixels).double().numpy()
        channels = np.einsum("ncyx,nkyx->ck", fields, fields, optimize=True)
        scale = np.sqrt(np.diag(channels))
        channels = channels / np.outer(scale, scale)
        lengthscale, share = fit_kernel(fields, channels)
        axis = rbf_kernel(self.shape.size, lengthscale)
        mean_, loadings_, deviation_ = (values.double().numpy() for values in (mean, loadings, deviation))
        shaped = mean_.reshape(pixels), loadings_.reshape(-1, *pixels), deviation_.reshape(pixels)
        return ImageGaussian(*shaped, axis, channels, share), lengthscale

    def bits_per_dimension(self, images: Tensor, labels: Tensor) -> Tensor:
        state = {name: values.cpu().numpy() for name, values in self._generator.state_dict().items()}
        signed = to_signed(images).double().cpu().numpy()
        nats = np.empty(len(signed))
        for category in np.unique(labels.cpu().numpy()):
            rows = (labels == category).cpu().numpy()
            nats[rows] = ImageGaussian.of_category(state, category).negative_log_density(signed[rows])
        # A density over [-1, 1] becomes one over grey levels: / LEVEL each.
        bits = nats / signed[0].size / math.log(2) - math.log2(LEVEL)
        return torch.from_numpy(bits).to(images.device)


def fit_loadings(centred: Tensor, rank: int) -> tuple[Tensor, float]:
    """W^T (rank, D) of probabilistic PCA of (N, D), and the share of the variance that its subspace holds."""
    count, size = centred.shape
    kept = min(rank, count - 1, size - 1)
    _, singular, directions = torch.svd_lowrank(centred, min(kept + 10, count, size), niter=4)
    total = float(centred.square().sum()) / count
    variances = singular[:kept].square() / count
    noise = max(total - float(variances.sum()), 0.0) / (size - kept)  # eq. 8
    loadings = torch.zeros(rank, size)
    loadings[:kept] = ((variances - noise).clamp_min(0).sqrt() * directions[:, :kept]).T  # eq. 7
    return loadings, float(variances.sum()) / max(total, 1e-12)


def fit_kernel(fields: Values, channels: Values) -> tuple[float, float]:
    """Lengthscale and share of the kernel that make whitened fields (N, C, S, S) likeliest, their scale left free."""
    across, basis = np.linalg.eigh(channels)
    best = (math.inf, 0.0, 0.0)
    for lengthscale in LENGTHSCALES:
        along, axis = np.linalg.eigh(rbf_kernel(fields.shape[-1], lengthscale))
        powers = np.square(transform(fields, basis.T, axis.T)).mean(0)
        eigenvalues = np.einsum("c,y,x->cyx", across, along, along).clip(0)
        for share in SHARES:
            variances = share * eigenvalues + 1 - share
            cost = math.log((powers / variances).mean()) + float(np.log(variances).mean())
            best = min(best, (cost, lengthscale, share))
    return best[1], best[2]


def kernel_root(kernel: Values) -> Values:
    """R with R R^T = kernel, from its eigenvalues: an RBF kernel is too near singular for Cholesky's."""
    values, vectors = np.linalg.eigh(kernel)
    return np.asarray(vectors * np.sqrt(values.clip(0)))
