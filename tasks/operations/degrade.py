"""Degrade: blur, JPEG, grey, fewer pixels, noise or a mosaic, of the whole picture or of a region of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
from PIL import Image
from pydantic import Field, model_validator

from models.arrays import Pixels
from models.imaging.adjustments import degradation
from tasks.operations.contract.operation import EditContext, Operation
from tasks.operations.contract.region import Region
from tasks.photos.picture import Picture
from tasks.provenance.source_type import Marking

Kind = Literal["blur", "compress", "grayscale", "downscale", "noise", "pixelate"]


class Amount(NamedTuple):
    """The bounds, default and meaning of a kind's amount."""

    least: float
    most: float
    default: float
    unit: str


AMOUNTS: dict[str, Amount] = {
    "blur": Amount(0, 500, 2, "pixels of sigma"),
    "compress": Amount(1, 100, 40, "JPEG quality"),
    "grayscale": Amount(0, 1, 1, "share of the colour removed"),
    "downscale": Amount(1, 64, 2, "times smaller"),
    "noise": Amount(0, 255, 10, "grey levels of sigma"),
    "pixelate": Amount(1, 1000, 16, "pixels a square"),
}
HIDING = {"blur": 1 / 3, "pixelate": 1 / 2}
"""The amount, as a share of a region's shorter side, that hides text and faces the size of the region."""


class Degrade(Operation):
    """Make a picture worse, or hide a part of it.

    The whole picture, or only the region: then every other pixel stays byte-equal, and `downscale` keeps the size
    and removes detail. Without an amount, blur and mosaic of a region are strong enough to hide its content: a number
    plate, a face, an address. It may alter the product: it removes detail and colour.
    """

    title: ClassVar[str] = "Blur, compress, grey, shrink, add noise or a mosaic; whole picture or a region (privacy)"
    may_alter_product: ClassVar[bool] = True
    marking: ClassVar[Marking] = "none"
    value_field: ClassVar[str | None] = "kind"
    example: ClassVar[str] = "degrade:blur,amount=2"
    keeps_size: ClassVar[bool] = False

    op: Literal["degrade"] = "degrade"
    kind: Kind = Field(description="what to do")
    amount: float | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="; ".join(f"{kind}: {a.unit}, {a.least:g} to {a.most:g}" for kind, a in AMOUNTS.items()),
    )
    region: Region = Field(default=Region(), description="only inside this")
    seed: int | None = Field(default=None, ge=0, lt=2**32, description="of the noise; otherwise the run's")

    @model_validator(mode="after")
    def check_amount(self) -> Self:
        """The amount is within its kind's own bounds."""
        allowed = AMOUNTS[self.kind]
        if self.amount is not None and not allowed.least <= self.amount <= allowed.most:
            raise ValueError(f"amount of {self.kind}: {allowed.least:g} to {allowed.most:g} ({allowed.unit})")
        return self

    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The degraded picture.

        Raises:
            InputError: the region does not fit the picture.
        """
        generator = np.random.default_rng(context.seed if self.seed is None else self.seed)
        if not self.region.is_empty:
            return self.degrade_region(picture, generator)
        amount = AMOUNTS[self.kind].default if self.amount is None else self.amount
        if self.kind == "downscale":
            return shrink_picture(picture, amount)
        return picture.with_pixels(change(self.kind, picture.pixels, amount, generator))

    def degrade_region(self, picture: Picture, generator: np.random.Generator) -> Picture:
        """The picture with each piece of the region degraded separately, from its own pixels only."""
        pixels, notes = picture.pixels.copy(), []
        for (left, top, right, bottom), inside in degradation.find_pieces(
            self.region.rasterise(picture.height, picture.width)
        ):
            part = pixels[top:bottom, left:right]
            amount, note = self.choose_amount(min(part.shape[:2]))
            part[inside] = change(self.kind, part.copy(), amount, generator, keep_size=True)[inside]
            notes.append(f"degrade: {self.kind} {amount:g} at {left} {top} {right} {bottom}{note}")
        return picture.with_pixels(pixels, *notes)

    def choose_amount(self, side: int) -> tuple[float, str]:
        """The amount for a piece whose shorter side is `side`, and a note about it."""
        allowed = AMOUNTS[self.kind]
        if self.kind not in HIDING:
            return (allowed.default if self.amount is None else self.amount), ""
        # A whole number of pixels, so that the mosaic has squares.
        needed = float(np.clip(np.ceil(side * HIDING[self.kind]), allowed.least, allowed.most))
        if self.amount is None:
            return needed, ""
        weak = f", too weak to hide what is there: {needed:g} would" if self.amount < needed else ""
        return self.amount, weak


def change(kind: str, pixels: Pixels, amount: float, generator: np.random.Generator, keep_size: bool = False) -> Pixels:
    """The degraded pixels; `keep_size` enlarges back what `downscale` shrinks."""
    if kind == "grayscale":
        grey = degradation.to_grayscale(pixels)
        return np.rint(pixels + amount * (grey.astype(np.float32) - pixels)).astype(np.uint8)
    if kind == "noise":
        return degradation.add_noise(pixels, amount, generator)
    kinds: dict[str, Callable[[], Pixels]] = {
        "blur": lambda: degradation.blur(pixels, amount),
        "compress": lambda: degradation.compress_jpeg(pixels, round(amount)),
        "pixelate": lambda: degradation.pixelate(pixels, round(amount)),
        "downscale": lambda: degradation.downscale(pixels, amount),
    }
    changed = kinds[kind]()
    if keep_size and changed.shape != pixels.shape:
        return np.array(Image.fromarray(changed).resize(pixels.shape[1::-1], Image.Resampling.BICUBIC))
    return changed


def shrink_picture(picture: Picture, factor: float) -> Picture:
    """The whole picture, and its alpha, `factor` times smaller."""
    if picture.alpha is None:
        pixels, alpha = degradation.downscale(picture.pixels, factor), None
    else:
        planes = degradation.downscale(np.dstack((picture.pixels, picture.alpha)), factor)
        pixels, alpha = np.ascontiguousarray(planes[..., :3]), np.ascontiguousarray(planes[..., 3])
    placement = picture.placement.then(scale=pixels.shape[1] / picture.width)
    return replace(picture, pixels=pixels, alpha=alpha, placement=placement)
