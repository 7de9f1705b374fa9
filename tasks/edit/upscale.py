"""Upscale: two, three or four times the size, with a network for luma and bicubic for the colours."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from models.errors import InputError, RegistryError
from models.imaging.enlarging import EnlargeLuma, enlarge, enlarge_by_bicubic
from tasks.edit.operation import Operation, Surroundings, read_number
from tasks.edit.picture import Picture

BICUBIC = "bicubic"
BICUBIC_REACH = 3
LARGEST = 400_000_000
"""Pixels of the result: 24 megapixels four times as large."""


class Upscale(Operation):
    """Enlarge by the champion of `upscale-x2`, `-x3` or `-x4`, by the newest version of a family, or by bicubic.

    It may alter the product: a network draws edges and texture as its training photographs had them.
    """

    may_alter_product: ClassVar[bool] = True
    value_field: ClassVar[str | None] = "scale"
    title: ClassVar[str] = "Enlarge 2, 3 or 4 times with more detail than resampling gives"

    op: Literal["upscale"] = "upscale"
    scale: Literal[2, 3, 4] = Field(default=2, description="times as wide and as high")
    family: str | None = Field(
        default=None,
        description="foldsr, espcn, srcnn, or bicubic, which needs no network; otherwise the slot's champion if any",
    )

    def apply(self, picture: Picture, surroundings: Surroundings) -> Picture:
        """The enlarged picture, its alpha by bicubic.

        Raises:
            InputError: the result would be too large.
            RegistryError: no version is of the family that was asked for, or it is for another scale.
        """
        size = picture.height * picture.width * self.scale**2
        if size > LARGEST:
            raise InputError("scale", self.scale, f"a smaller picture: the result would have {size:,} pixels")
        luma, reach, note = self.find_luma(surroundings)
        pixels, alpha = enlarge(picture.pixels, self.scale, luma, reach), None
        if picture.alpha is not None:
            large = Image.fromarray(picture.alpha).resize(pixels.shape[1::-1], Image.Resampling.BICUBIC)
            alpha = np.array(large)
        placed, notes = picture.placement.then(scale=self.scale), (*picture.notes, f"upscale: {note}")
        return replace(picture, pixels=pixels, alpha=alpha, placement=placed, notes=notes)

    def find_luma(self, surroundings: Surroundings) -> tuple[EnlargeLuma, int, str]:
        """What enlarges luma, how far around a pixel it looks, and what it is."""
        if self.family == BICUBIC:
            return *self.bicubic, BICUBIC
        slot = f"upscale-x{self.scale}"
        try:
            network = surroundings.toolbox.network(slot, self.family)
        except RegistryError as error:
            if self.family is not None:
                raise
            return *self.bicubic, f"{BICUBIC}, as there is no champion: {error}"
        if read_number(network, "scale") != self.scale:
            raise RegistryError(f"{slot} version {network.version} enlarges {network.facts['scale']} times")
        reach = read_number(network, "reach")
        what = f"{network.family}, version {network.version} of {slot}"
        return lambda plane: network.run(image=plane[None, None])[0, 0], reach, what

    @property
    def bicubic(self) -> tuple[EnlargeLuma, int]:
        """Enlarging without a network, and its reach."""
        return lambda plane: enlarge_by_bicubic(plane, self.scale), BICUBIC_REACH
