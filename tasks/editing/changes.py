"""How much an edit changed what a buyer sees: colour difference and structure inside the product's outline."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from models.arrays import Mask, Pixels
from models.imaging.colour import delta_e_2000, luma, rgb_to_lab
from models.imaging.inspection.similarity import ssim_map
from tasks.photos.icc import to_srgb
from tasks.photos.picture import Picture, Placement
from tasks.photos.writing import flatten

MATTE_SIDE = 512
COMPARED_SIDE = 1024
SEEN = 2.0  # CIEDE2000: a smaller difference is not noticed at a glance
LEAST_PRODUCT = 0.002  # share of the picture; anything smaller is a speck, not a product

REDUCING_GAP = 2.0  # Pillow's: a large picture is first averaged in blocks, to twice the wanted size

Window = tuple[float, float, float, float]
FindProduct = Callable[[Pixels], npt.NDArray[np.float32]]
"""A matte: RGB (H, W, 3) to the share of product in each pixel, float32 (H, W) in 0..1."""


class Figures(BaseModel):
    """Differences over one region: CIEDE2000 mean and 95th percentile, SSIM of luma, share of pixels above `SEEN`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    colour_mean: float
    colour_p95: float
    ssim: float
    changed_share: float = Field(description="share of the region whose colour differs by more than 2 (CIEDE2000)")


class Change(BaseModel):
    """What was measured between two states of one photograph, where they overlap.

    `product` is None when no product was found or none is left, `picture` when the two do not overlap.
    `product_share` is the product's part of the original's area, `product_kept` the part of the product that the later
    picture still shows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: Figures | None
    picture: Figures | None
    product_share: float
    product_kept: float

    @property
    def text(self) -> str:
        """One line for a person."""
        if self.product is not None:
            return f"inside the product: {_say(self.product)}; {self.product_kept:.0%} of it in the frame"
        if self.picture is not None:
            return f"no product was found; the whole picture: {_say(self.picture)}"
        return "nothing of the earlier picture is left in the frame"


class Product(NamedTuple):
    """A product's mask found on the picture of `placement`, of at most `MATTE_SIDE`, and that picture's size."""

    mask: Mask
    placement: Placement
    height: int
    width: int


def outline_product(picture: Picture, find: FindProduct) -> Product | None:
    """The product in `picture`, outlined by `find` on a copy of at most `MATTE_SIDE` pixels, or None."""
    whole = (0.0, 0.0, float(picture.width), float(picture.height))
    small = sample(picture, whole, min(1.0, MATTE_SIDE / max(picture.height, picture.width)))
    mask = find(small) >= 0.5
    found = Product(mask, picture.placement, picture.height, picture.width)
    return found if float(mask.mean()) >= LEAST_PRODUCT else None


def measure_change(before: Picture, after: Picture, product: Product | None) -> Change:
    """The difference between two states of a photograph, compared at no more than `COMPARED_SIDE` pixels.

    `after` may show another part of it at another scale; its placement says which. Transparent parts are white,
    profiles are converted to sRGB.
    """
    move = _between(before.placement, after.placement)
    window = _clip(_back(move, (0.0, 0.0, after.width, after.height)), before)
    share = float(product.mask.mean()) if product is not None else 0.0
    if min(window[2] - window[0], window[3] - window[1]) < 0.5:
        return Change(product=None, picture=None, product_share=share, product_kept=0.0)
    # Resampling alone changes the finest octave of the coarser picture: where scales differ, it is not compared.
    finest = 1.0 if move.scale == 1 else min(1.0, move.scale) / 2
    factor = min(finest, COMPARED_SIDE / max(window[2] - window[0], window[3] - window[1]))
    first = sample(before, window, factor)
    second = sample(after, _clip(_forth(move, window), after), factor / move.scale, first.shape[:2])
    differences = delta_e_2000(rgb_to_lab(first), rgb_to_lab(second))
    structure = ssim_map(luma(first), luma(second), peak=1.0)
    everywhere = _summarise(differences, structure, np.ones(differences.shape, np.bool_))
    if product is None:
        return Change(product=None, picture=everywhere, product_share=share, product_kept=0.0)
    inside = _place(product, before, window, first.shape[:2])
    kept = _kept(product, before, window)
    figures = _summarise(differences, structure, inside) if inside.any() else None
    return Change(product=figures, picture=everywhere, product_share=share, product_kept=kept)


def sample(picture: Picture, window: Window, factor: float, shape: tuple[int, ...] | None = None) -> Pixels:
    """A part of `picture` resampled by `factor`, or to `shape` (height, width): uint8 (H, W, 3), sRGB, laid on white.

    `window` is left, top, right, bottom in the picture's pixels, fractions allowed.
    """
    height, width = shape or (round((window[3] - window[1]) * factor), round((window[2] - window[0]) * factor))
    size = (max(1, width), max(1, height))
    small = Image.fromarray(picture.pixels).resize(size, Image.Resampling.BILINEAR, window, REDUCING_GAP)
    if picture.profile is not None:
        small = to_srgb(small, picture.profile)
    alpha = None
    if picture.alpha is not None:
        shares = Image.fromarray(picture.alpha).resize(size, Image.Resampling.BILINEAR, window, REDUCING_GAP)
        alpha = np.asarray(shares)
    return flatten(Picture(np.asarray(small), alpha))


def _between(before: Placement, after: Placement) -> Placement:
    scale = after.scale / before.scale
    return Placement(scale, after.left - before.left * scale, after.top - before.top * scale)


def _forth(move: Placement, window: Window) -> Window:
    left, top, right, bottom = window
    scale = move.scale
    return left * scale + move.left, top * scale + move.top, right * scale + move.left, bottom * scale + move.top


def _back(move: Placement, window: Window) -> Window:
    inverse = 1 / move.scale
    return _forth(Placement(inverse, -move.left * inverse, -move.top * inverse), window)


def _clip(window: Window, picture: Picture) -> Window:
    left, top, right, bottom = window
    return max(0.0, left), max(0.0, top), min(float(picture.width), right), min(float(picture.height), bottom)


def _place(product: Product, before: Picture, window: Window, shape: tuple[int, ...]) -> Mask:
    """The part of the product's mask inside `window` of `before`, on a grid of `shape`."""
    across, down = _grid(window, shape)
    move = _between(product.placement, before.placement)
    xs = np.floor((across - move.left) / move.scale * product.mask.shape[1] / product.width).astype(int)
    ys = np.floor((down - move.top) / move.scale * product.mask.shape[0] / product.height).astype(int)
    rows, columns = (ys >= 0) & (ys < product.mask.shape[0]), (xs >= 0) & (xs < product.mask.shape[1])
    inside = np.zeros((len(ys), len(xs)), np.bool_)
    inside[np.ix_(rows, columns)] = product.mask[np.ix_(ys[rows], xs[columns])]
    return inside


def _grid(window: Window, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The x of each column's centre and the y of each row's."""
    across = window[0] + (np.arange(shape[1]) + 0.5) * (window[2] - window[0]) / shape[1]
    down = window[1] + (np.arange(shape[0]) + 0.5) * (window[3] - window[1]) / shape[0]
    return across, down


def _kept(product: Product, before: Picture, window: Window) -> float:
    """The share of the product shown in `before` that lies in `window`."""
    whole = _place(product, before, (0.0, 0.0, before.width, before.height), product.mask.shape)
    across, down = _grid((0.0, 0.0, before.width, before.height), product.mask.shape)
    seen = (down >= window[1]) & (down < window[3])
    visible = whole[seen][:, (across >= window[0]) & (across < window[2])]
    return float(visible.sum() / max(1, whole.sum()))


def _summarise(differences: npt.NDArray[np.float32], structure: npt.NDArray[np.float64], inside: Mask) -> Figures:
    values = differences[inside]
    return Figures(
        colour_mean=float(values.mean()),
        colour_p95=float(np.percentile(values, 95)),
        ssim=float(structure[inside].mean()),
        changed_share=float((values > SEEN).mean()),
    )


def _say(figures: Figures) -> str:
    colour = f"colour differs by {figures.colour_mean:.1f} (CIEDE2000; 95 % below {figures.colour_p95:.1f})"
    return f"{colour}, SSIM {figures.ssim:.3f}, {figures.changed_share:.0%} of it visibly changed"
