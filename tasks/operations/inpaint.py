"""Inpaint: a region filled from its surroundings."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from models.arrays import Mask, Pixels
from models.errors import InputError, RegistryError
from models.imaging.filling.fill import CLASSICAL, fill_by
from models.imaging.filling.holes import fill_by_network, fill_holes, network_context
from tasks.operations.contract.operation import EditContext, Network, Operation, read_number
from tasks.operations.contract.region import Region
from tasks.photos.picture import Picture
from tasks.provenance.source_type import Marking

SLOT = "inpaint"
INSTEAD = "telea"
"""The method used when none is asked for and no network is registered."""


class Inpaint(Operation):
    """Fill a region by the slot `inpaint`'s champion, the newest version of a family, or a method without training.

    Every pixel outside the region stays byte-equal, and alpha stays as it is. It may alter the product: what it draws
    there was never photographed.
    """

    title: ClassVar[str] = "Fill a region from what lies around it (scratches, dust, labels, small objects)"
    may_alter_product: ClassVar[bool] = True
    marking: ClassVar[Marking] = "compositeWithTrainedAlgorithmicMedia"
    marked_by_network_only: ClassVar[bool] = True
    value_field: ClassVar[str | None] = "family"
    example: ClassVar[str] = "inpaint,boxes=10 10 20 20"

    op: Literal["inpaint"] = "inpaint"
    region: Region = Field(default=Region(), description="what is filled: a mask, boxes or polygons")
    family: str | None = Field(
        default=None,
        description="pix2pix, telea, navier-stokes, or for small holes gp or mrf; otherwise the slot's champion",
    )

    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The filled picture.

        Raises:
            InputError: the region does not fit the picture, marks all of it, or is too large for `gp` or `mrf`.
            RegistryError: there is no version of the requested family.
        """
        hole = self.region.rasterise(picture.height, picture.width)
        if hole.all():
            raise InputError("region", "the whole picture", "a part of it: the rest says what to fill it with")
        if self.family in CLASSICAL:
            return picture.with_pixels(fill_by(self.family, picture.pixels, hole), f"inpaint: filled by {self.family}")
        try:
            network = context.networks.network(SLOT, self.family)
        except RegistryError as error:
            if self.family is not None:
                raise
            note = f"inpaint: filled by {INSTEAD}, as there is no champion: {error}"
            return picture.with_pixels(fill_by(INSTEAD, picture.pixels, hole), note)
        note = f"inpaint: filled by {network.family}, version {network.version} of {SLOT}"
        return picture.with_pixels(fill_by_champion(network, picture.pixels, hole), note)


def fill_by_champion(network: Network, pixels: Pixels, hole: Mask) -> Pixels:
    """The pixels with each hole filled by a registered network.

    Raises:
        RegistryError: the network does not say which sides it takes.
    """
    multiple = read_number(network, "multiple")

    def fill(part: Pixels, inside: Mask) -> Pixels:
        return fill_by_network(part, inside, lambda image, mask: network.run(image=image, mask=mask), multiple)

    return fill_holes(pixels, hole, fill, network_context)
