"""Holes filled without trained weights: by closing fronts, by a Gaussian process, by patches found elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from models.arrays import Mask, Pixels, Values
from models.distributions.gaussian import LEVEL, condition
from models.errors import InputError
from models.imaging.filling.holes import Fill, fill_holes
from models.imaging.filling.patch_field import fill_by_patches

RADIUS = 3
"""How far, in pixels, the fronts look for known pixels."""
FRONTS = {"telea": cv2.INPAINT_TELEA, "navier-stokes": cv2.INPAINT_NS}
LAGS = 8
LENGTHS = np.geomspace(0.7, 16, 24)
SHARES = np.linspace(0.05, 0.97, 24)
COLOUR_NOISE = 1e-3


class Method(NamedTuple):
    """How a hole in its window is filled, the pixels around it that the window shows, and the hole's longest side."""

    fill: Fill
    context: Callable[[Mask], int]
    longest: int | None = None


def fill_by(method: str, photo: Pixels, hole: Mask) -> Pixels:
    """The photo (H, W, 3) with its hole (H, W) filled by one of `CLASSICAL`; all pixels outside stay as they are.

    Raises:
        InputError: a hole is longer than the method fills.
    """
    fill, context, longest = CLASSICAL[method]

    def check(own: Mask) -> int:
        if longest is not None and max(own.shape) > longest:
            size = f"{own.shape[1]}x{own.shape[0]}"
            allowed = f"holes of at most {longest} pixels a side, but one has {size}: take pix2pix or telea"
            raise InputError("family", method, allowed)
        return context(own)

    return fill_holes(photo, hole, fill, check)


def fill_by_opencv(method: str, photo: Pixels, hole: Mask) -> Pixels:
    """The photo (H, W, 3) with its hole filled from the border inwards (Telea 2004; Bertalmio et al. 2001)."""
    filled = cv2.inpaint(np.ascontiguousarray(photo), hole.astype(np.uint8), RADIUS, FRONTS[method])
    return np.asarray(filled, np.uint8)


def fill_by_gaussian(photo: Pixels, hole: Mask) -> Pixels:
    """The photo with its hole filled by the mean of a Gaussian process given the known pixels (kriging).

    Its covariance is measured around the hole: colours' correlation, and how it falls off with the distance.
    """
    height, width = hole.shape
    side = max(height, width)
    image, hidden = np.zeros((side, side, 3), np.uint8), np.ones((side, side), np.bool_)
    image[:height, :width], hidden[:height, :width] = photo, hole
    return condition(measure_state(image, ~hidden), image, hidden, 0, draws=1).mean[:height, :width]


def measure_state(image: Pixels, known: Mask) -> dict[str, Values]:
    """A fitted state of `models.distributions.gaussian` with one category, of the known (S, S) of an (S, S, 3) image.

    The mean is the known pixels' own; a plane for each colour is free, as in universal kriging.
    """
    values = image * LEVEL - 1
    seen = values[known]
    mean, deviation = seen.mean(0), np.maximum(seen.std(0), LEVEL)
    residual = np.where(known[..., None], (values - mean) / deviation, 0)
    colours = residual[known].T @ residual[known] / len(seen)
    colours = (1 - COLOUR_NOISE) * colours + COLOUR_NOISE * np.eye(3)
    scale = np.sqrt(np.diag(colours))
    length, share = fit_decay(measure_decay(residual, known))
    side = len(image)
    line = np.linspace(-1, 1, side)
    planes = np.stack((np.ones((side, side)), np.tile(line, (side, 1)), np.tile(line[:, None], (1, side))))
    loadings = np.einsum("c,ck,pyx->pckyx", deviation, np.eye(3), planes).reshape(9, -1)
    fields = {
        "mean": np.broadcast_to(mean[:, None, None], (3, side, side)),
        "loadings": loadings,
        "deviation": np.broadcast_to(deviation[:, None, None], (3, side, side)),
        "channels": colours / np.outer(scale, scale),
        "share": share,
        "lengthscale": length,
    }
    return {name: np.asarray(value, np.float64)[None] for name, value in fields.items()}


def measure_decay(residual: Values, known: Mask) -> Values:
    """Correlation of known pixels 1, 2, ... `LAGS` apart, across and down; 0 where there are no such pairs."""
    found = []
    for lag in range(1, LAGS + 1):
        product, pairs = 0.0, 0
        for values, there in ((residual, known), (residual.swapaxes(0, 1), known.T)):
            both = there[lag:] & there[:-lag]
            product += float((values[lag:] * values[:-lag])[both].sum())
            pairs += 3 * int(both.sum())
        found.append(product / max(pairs, 1))
    return np.array(found)


def fit_decay(correlation: Values) -> tuple[float, float]:
    """Lengthscale and share of `gaussian.rbf_kernel` that are nearest to the measured correlation."""
    lags = np.arange(1, len(correlation) + 1)
    curves = SHARES[:, None, None] * np.exp(-0.5 * (lags / LENGTHS[:, None]) ** 2)
    share, length = np.unravel_index(np.square(curves - correlation).sum(2).argmin(), curves.shape[:2])
    return float(LENGTHS[length]), float(SHARES[share])


CLASSICAL: dict[str, Method] = {
    "telea": Method(lambda photo, hole: fill_by_opencv("telea", photo, hole), lambda _: 4 * RADIUS),
    "navier-stokes": Method(lambda photo, hole: fill_by_opencv("navier-stokes", photo, hole), lambda _: 4 * RADIUS),
    "gp": Method(fill_by_gaussian, lambda _: 16, longest=64),
    "mrf": Method(fill_by_patches, lambda own: max(48, *own.shape), longest=160),
}
"""Every method without training, by the name that the parameter `family` takes."""
