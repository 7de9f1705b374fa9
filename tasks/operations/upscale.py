"""Upscale: two, three or four times the size, with a network for luma and bicubic for the colours."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from models.arrays import Pixels
from models.errors import InputError, RegistryError
from models.imaging.scaling.enlarging import EnlargeLuma, enlarge, enlarge_by_bicubic
from tasks.operations.contract.operation import EditContext, Network, Operation, Stage, read_number
from tasks.photos.picture import Picture
from tasks.provenance.source_type import Marking

BICUBIC = "bicubic"
LARGEST = 400_000_000
"""Pixels of the result: 24 megapixels four times as large."""


class Upscale(Operation):
    """Enlarge by the champion of `upscale-x2`, `-x3` or `-x4`, by the newest version of a family, or by bicubic.

    It may alter the product: a network draws edges and texture as its training photographs had them.
    """

    title: ClassVar[str] = "Enlarge 2, 3 or 4 times with more detail than resampling gives"
    may_alter_product: ClassVar[bool] = True
    marking: ClassVar[Marking] = "none"
    value_field: ClassVar[str | None] = "scale"
    stage: ClassVar[Stage] = "size"
    keeps_size: ClassVar[bool] = False

    op: Literal["upscale"] = "upscale"
    scale: Literal[2, 3, 4] = Field(default=2, description="times as wide and as high")
    family: str | None = Field(
        default=None,
        description="foldsr, espcn, srcnn, or bicubic, which needs no network; otherwise the slot's champion if any",
    )

    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The enlarged picture, its alpha by bicubic.

        Raises:
            InputError: the result would be too large.
            RegistryError: there is no version of the requested family, or it is for another scale.
        """
        size = picture.height * picture.width * self.scale**2
        if size > LARGEST:
            raise InputError("scale", self.scale, f"a smaller picture: the result would have {size:,} pixels")
        pixels, note = self.enlarge_pixels(picture.pixels, context)
        alpha = None if picture.alpha is None else enlarge_by_bicubic(picture.alpha, self.scale)
        placed, notes = picture.placement.then(scale=self.scale), (*picture.notes, f"upscale: {note}")
        return replace(picture, pixels=pixels, alpha=alpha, placement=placed, notes=notes)

    def enlarge_pixels(self, pixels: Pixels, context: EditContext) -> tuple[Pixels, str]:
        """The enlarged pixels, and the name of what enlarged them."""
        if self.family == BICUBIC:
            return enlarge_by_bicubic(pixels, self.scale), BICUBIC
        slot = f"upscale-x{self.scale}"
        try:
            network = context.networks.network(slot, self.family)
        except RegistryError as error:
            if self.family is not None:
                raise
            return enlarge_by_bicubic(pixels, self.scale), f"{BICUBIC}, as there is no champion: {error}"
        if read_number(network, "scale") != self.scale:
            raise RegistryError(f"{slot} version {network.version} enlarges {network.facts['scale']} times")
        what = f"{network.family}, version {network.version} of {slot}"
        return enlarge(pixels, self.scale, enlarger(network), read_number(network, "reach")), what


def enlarger(network: Network) -> EnlargeLuma:
    """A registered network as a function that enlarges a plane of luma."""
    return lambda plane: network.run(image=plane[None, None])[0, 0]
