"""A Gaussian over images with a low-rank-plus-Kronecker covariance: its density, its draws, and conditioning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Values
from models.errors import InputError
from models.pixels import to_bytes

if TYPE_CHECKING:
    from models.arrays import Images  # at run time this module needs no torch

State = Mapping[str, npt.NDArray[Any]]
"""The buffers of `models.generators.gp.Generator` by name, as `safetensors.numpy.load_file` reads them."""

LEVEL = 2 / 255
"""One grey level, in units of the pixel range [-1, 1]."""
ROUNDING = LEVEL**2 / 12
"""Variance that rounding to whole grey levels adds to a pixel."""
PRECISION = 1e-8
MOST_ITERATIONS = 2000


class Filled(NamedTuple):
    """An image after conditioning; each array is (H, W, C).

    `mean` (uint8) is the most likely image, `sample` (uint8) one that the model thinks possible, and `deviation`
    (float32, grey levels) the standard deviation of each pixel, estimated from the draws.
    """

    mean: Images
    sample: Images
    deviation: npt.NDArray[np.float32]


def rbf_kernel(size: int, lengthscale: float) -> Values:
    """exp(-(i - j)^2 / 2 l^2) for positions on one axis (Rasmussen & Williams 2006, eq. 2.31), shape (size, size)."""
    position = np.arange(size)
    return np.exp(-0.5 * ((position[:, None] - position) / lengthscale) ** 2)


@dataclass(frozen=True)
class ImageGaussian:
    """y ~ N(mean, W W^T + D (share Kc x Ky x Kx + (1 - share) I) D), images (C, S, S) in [-1, 1].

    `loadings` W is (rank, C, S, S), `deviation` the diagonal of D (C, S, S), `channels` Kc (C, C) and `axis` Ky = Kx
    (S, S). The Kronecker part is multiplied axis by axis: nothing has the size of the covariance, (C S S)^2.
    """

    mean: Values
    loadings: Values
    deviation: Values
    axis: Values
    channels: Values
    share: float

    @classmethod
    def of_category(cls, state: State, category: int) -> ImageGaussian:
        """The fitted Gaussian of `category`.

        Raises:
            InputError: the state has no such category.
        """
        categories, size = len(state["mean"]), state["mean"].shape[-1]
        if not 0 <= category < categories:
            raise InputError("category", category, f"0 to {categories - 1}")
        mean, loadings, deviation, channels = (
            np.asarray(state[name][category], np.float64) for name in ("mean", "loadings", "deviation", "channels")
        )
        axis = rbf_kernel(size, float(state["lengthscale"][category]))
        share = float(state["share"][category])
        return cls(mean, loadings.reshape(-1, *mean.shape), deviation, axis, channels, share)

    @cached_property
    def spectrum(self) -> tuple[Values, Values, Values]:
        """Eigenvectors of `axis` (S, S) and `channels` (C, C), and the eigenvalues of the part between D and D."""
        along, axis = np.linalg.eigh(self.axis)
        across, channels = np.linalg.eigh(self.channels)
        powers = np.einsum("c,y,x->cyx", across, along, along).clip(0)
        return axis, channels, self.share * powers + 1 - self.share

    def covary(self, images: Values) -> Values:
        """The covariance times `images` (N, C, S, S)."""
        codes = np.einsum("ncyx,rcyx->nr", images, self.loadings, optimize=True)
        low = np.einsum("nr,rcyx->ncyx", codes, self.loadings, optimize=True)
        scaled = self.deviation * images
        smooth = transform(scaled, self.channels, self.axis)
        return np.asarray(low + self.deviation * (self.share * smooth + (1 - self.share) * scaled))

    def draw(self, count: int, generator: np.random.Generator) -> Values:
        """`count` images (count, C, S, S) from the Gaussian."""
        axis, channels, powers = self.spectrum
        codes = generator.standard_normal((count, len(self.loadings)))
        white = generator.standard_normal((count, *self.mean.shape))
        field = self.deviation * transform(np.sqrt(powers) * white, channels, axis)
        return np.asarray(self.mean + np.einsum("nr,rcyx->ncyx", codes, self.loadings, optimize=True) + field)

    def negative_log_density(self, images: Values) -> Values:
        """-ln p(y + u), its mean over u uniform within a grey level, of images (N, C, S, S); shape (N,).

        With R = D Q L Q^T D for the part beside W W^T: Woodbury's identity and the determinant lemma (Rasmussen &
        Williams 2006, eq. A.9 and A.10), in the basis Q D^-1 where R is the diagonal L.
        """
        axis, channels, powers = self.spectrum
        rank, size = len(self.loadings), self.mean.size

        def turn(values: Values) -> Values:
            return (transform(values / self.deviation, channels.T, axis.T) / np.sqrt(powers)).reshape(len(values), size)

        codes, residuals = turn(self.loadings), turn(images - self.mean)
        inner = np.linalg.cholesky(np.eye(rank) + codes @ codes.T)
        explained = np.linalg.solve(inner, codes @ residuals.T)  # (rank, N)
        distance = np.square(residuals).sum(1) - np.square(explained).sum(0)
        volume = np.log(powers).sum() + 2 * np.log(self.deviation).sum() + 2 * np.log(np.diag(inner)).sum()
        constant = volume + size * np.log(2 * np.pi) + ROUNDING * self._precision(inner, codes)
        return np.asarray(0.5 * (distance + constant))

    def _precision(self, inner: npt.NDArray[np.floating[Any]], codes: Values) -> float:
        """The trace of the inverse covariance: what the noise within a grey level adds to the squared distance."""
        axis, channels, powers = self.spectrum
        spread = np.einsum("ck,yi,xj,kij->cyx", channels**2, axis**2, axis**2, 1 / powers, optimize=True)
        weighted = np.linalg.solve(inner, codes).reshape(-1, *self.mean.shape) / np.sqrt(powers)
        shared = np.square(transform(weighted, channels, axis) / self.deviation).sum()
        return float((spread / self.deviation**2).sum() - shared)


def transform(images: Values, channels: Values, axis: Values) -> Values:
    """`axis` along both sides of images (N, C, S, S) and `channels` across their channels."""
    turned = axis @ images @ axis.T
    return turned if len(channels) == 1 and channels[0, 0] == 1 else np.einsum("ck,nkyx->ncyx", channels, turned)


def condition(
    state: State, image: Images, mask: npt.NDArray[np.bool_], category: int, seed: int = 0, draws: int = 32
) -> Filled:
    """Fill the part of `image` (S, S, C) where `mask` (S, S) is true, given the rest; the rest stays as it is.

    Raises:
        InputError: image or mask is not of the model's shape, or there is no such category.
    """
    gaussian = ImageGaussian.of_category(state, category)
    size = gaussian.mean.shape[-1]
    require_shape("image", image, (size, size, len(gaussian.mean)))
    require_shape("mask", mask, (size, size))
    hidden = np.broadcast_to(mask.astype(bool), gaussian.mean.shape)
    known = np.flatnonzero(~hidden)

    def observe(images: Values) -> Values:
        return images.reshape(len(images), -1)[:, known]

    def spread(values: Values) -> Values:
        images = np.zeros((len(values), gaussian.mean.size))
        images[:, known] = values
        return images.reshape(-1, *gaussian.mean.shape)

    filled = infer(gaussian, observe, spread, observe(to_values(image)), seed, draws)
    whole = ~hidden.transpose(1, 2, 0)
    return Filled(
        np.where(whole, image, filled.mean),
        np.where(whole, image, filled.sample),
        np.where(whole, 0, filled.deviation).astype(np.float32),
    )


def upsample(state: State, image: Images, factor: int, category: int, seed: int = 0, draws: int = 32) -> Filled:
    """The image (S, S, C) whose averages over boxes of `factor` x `factor` pixels are `image` (S / factor, ..., C).

    Raises:
        InputError: the factor does not divide the model's size, the image has another shape, or the category is none.
    """
    gaussian = ImageGaussian.of_category(state, category)
    channels, size, _ = gaussian.mean.shape
    if factor < 2 or size % factor:
        raise InputError("factor", factor, [value for value in range(2, size + 1) if size % value == 0])
    side = size // factor
    require_shape("image", image, (side, side, channels))

    def observe(images: Values) -> Values:
        boxes = images.reshape(len(images), channels, side, factor, side, factor)
        return np.asarray(boxes.mean((3, 5)).reshape(len(images), -1))

    def spread(values: Values) -> Values:
        small = values.reshape(len(values), channels, side, side)
        return np.asarray(small.repeat(factor, 2).repeat(factor, 3) / factor**2)

    return infer(gaussian, observe, spread, to_values(image).reshape(1, -1), seed, draws)


def infer(
    gaussian: ImageGaussian,
    observe: Callable[[Values], Values],
    spread: Callable[[Values], Values],
    observed: Values,
    seed: int,
    draws: int,
) -> Filled:
    """The Gaussian given the linear observation `observed` (1, m), where `spread` is the transpose A^T of `observe` A.

    mean + S A^T (A S A^T + r I)^-1 (observed - A mean) (Rasmussen & Williams 2006, eq. 2.23), r the rounding. Samples
    are draws of the Gaussian corrected by the same formula (Matheron's rule; Wilson et al. 2020, eq. 8).
    """
    generator = np.random.default_rng(seed)
    prior = np.concatenate((gaussian.mean[None], gaussian.draw(draws, generator)))
    wrong = observed - observe(prior)
    wrong[1:] += np.sqrt(ROUNDING) * generator.standard_normal(wrong[1:].shape)
    low = observe(gaussian.loadings)  # (rank, m)
    rest = observe(spread(observe(gaussian.deviation[None] ** 2)))[0]  # the diagonal of A D^2 A^T

    def covary(values: Values) -> Values:
        return observe(gaussian.covary(spread(values))) + ROUNDING * values

    weights = solve(covary, precondition(low, rest + ROUNDING), wrong)
    found = prior + gaussian.covary(spread(weights))
    images = to_bytes(found[:2].astype(np.float32))
    deviation = np.sqrt(np.square(found[1:] - found[0]).mean(0)) / LEVEL
    return Filled(images[0], images[1], deviation.transpose(1, 2, 0).astype(np.float32))


def precondition(low: Values, rest: Values) -> Callable[[Values], Values]:
    """The inverse of low^T low + diag(rest), low (rank, m), by Woodbury's identity."""
    scaled = low / rest
    inner = np.linalg.inv(np.eye(len(low)) + scaled @ low.T)
    return lambda values: values / rest - (values @ scaled.T) @ inner @ scaled


def solve(covary: Callable[[Values], Values], approximate: Callable[[Values], Values], wanted: Values) -> Values:
    """x with covary(x) = wanted, each row of (N, m), by preconditioned conjugate gradients (Golub & Van Loan 11.5)."""
    found, residual = np.zeros_like(wanted), wanted.copy()
    better = approximate(residual)
    direction, old = better, (residual * better).sum(1, keepdims=True)
    goal = PRECISION**2 * np.maximum(old, np.finfo(float).tiny)
    for _ in range(MOST_ITERATIONS):
        if (old <= goal).all():
            break
        product = covary(direction)
        step = old / np.maximum((direction * product).sum(1, keepdims=True), np.finfo(float).tiny)
        found, residual = found + step * direction, residual - step * product
        better = approximate(residual)
        new = (residual * better).sum(1, keepdims=True)
        direction, old = better + new / np.maximum(old, np.finfo(float).tiny) * direction, new
    return found


def to_values(image: Images) -> Values:
    """uint8 (H, W, C) to (1, C, H, W) in [-1, 1]."""
    return np.asarray(image.transpose(2, 0, 1)[None] * LEVEL - 1)


def require_shape(name: str, values: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise an InputError when `values` has another shape."""
    if values.shape != shape:
        raise InputError(f"{name} shape", values.shape, f"{shape}, as the model was fitted")
