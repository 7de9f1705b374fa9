"""Colorize: colours for a grey photograph."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from models.errors import InputError, RegistryError
from models.imaging.adjustments.colouring import colourise
from tasks.operations.contract.operation import EditContext, Network, Operation, read_number
from tasks.photos.picture import Picture
from tasks.provenance.source_type import Marking

SLOT = "colorize"


class Colorize(Operation):
    """Add colours with the champion of the slot `colorize`, or a family's newest version; lightness is kept.

    It may alter the product: a grey photograph does not say which colour a shirt had, and the network guesses.
    """

    title: ClassVar[str] = "Colours for a grey photograph, as a network guesses them"
    may_alter_product: ClassVar[bool] = True
    marking: ClassVar[Marking] = "compositeWithTrainedAlgorithmicMedia"
    value_field: ClassVar[str | None] = "family"

    op: Literal["colorize"] = "colorize"
    family: str | None = Field(default=None, description="colorful; otherwise the slot's champion")
    strength: float = Field(default=1.0, ge=0, le=2, description="how colourful, times what was found; 0 is grey")

    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The picture in colour.

        Raises:
            InputError: there is no trained network.
            RegistryError: there is no version of the requested family.
        """
        network = self.find_network(context)
        size, multiple = (read_number(network, name) for name in ("size", "multiple"))
        coloured = colourise(
            picture.pixels, lambda lightness: network.run(image=lightness), size, multiple, self.strength
        )
        notes = [f"colorize: by {network.family}, version {network.version} of {SLOT}; colours are guesses"]
        if (picture.pixels != picture.pixels[..., :1]).any():
            notes.append("colorize: the photograph was not grey; its own colours were dropped")
        return picture.with_pixels(coloured, *notes)

    def find_network(self, context: EditContext) -> Network:
        """The network of the slot."""
        try:
            return context.networks.network(SLOT, self.family)
        except RegistryError as error:
            if self.family is not None:
                raise
            raise InputError("op", "colorize", f"a trained network: `packshot train colorful`; {error}") from error
