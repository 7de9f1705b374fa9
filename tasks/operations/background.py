"""Background: the product cut out and put on white, on a colour, or on nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field, field_validator

from models.arrays import Pixels, Planes
from models.imaging.colour import to_unit
from models.imaging.cutout.doubt import list_doubts
from models.imaging.cutout.fringe import clean_colours
from models.imaging.cutout.matte import find_product
from tasks.operations.contract.colours import read_colour
from tasks.operations.contract.operation import EditContext, Operation, Stage
from tasks.operations.contract.region import Region
from tasks.photos.picture import Picture
from tasks.provenance.source_type import Marking

TRANSPARENT = "transparent"
FEATHER = 0.8
"""Pixels of sigma by which the edge of a given region is softened."""


class Background(Operation):
    """Put the product on pure white (255 exactly), a colour, or make the rest transparent.

    The product is found, or given as the region; in a picture that has transparent parts it is what is opaque. It does
    not alter the product: pixels wholly inside it stay byte-equal, and those on its edge lose the colour of the
    old background. A mask can still be wrong and cut parts off or leave a shadow; a doubtful one is noted.
    """

    title: ClassVar[str] = "The product on pure white, on a colour, or transparent, with soft edges"
    may_alter_product: ClassVar[bool] = False
    marking: ClassVar[Marking] = "none"
    value_field: ClassVar[str | None] = "colour"
    stage: ClassVar[Stage] = "background"
    keeps_alpha: ClassVar[bool] = False

    op: Literal["background"] = "background"
    colour: str = Field(default="white", description="#rrggbb, a colour's name, or transparent")
    region: Region = Field(default=Region(), description="the product, where it is not to be found automatically")

    @field_validator("colour")
    @classmethod
    def check_colour(cls, value: str) -> str:
        """A colour, or transparent."""
        if value != TRANSPARENT:
            read_colour(value)
        return value

    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The product on the new background; a picture without a product is left as it is, with a note.

        Raises:
            InputError: the region does not fit the picture.
        """
        matte, doubts = self.find_matte(picture)
        notes = tuple(f"background: {doubt}" for doubt in doubts)
        if not matte.any():
            return picture.with_pixels(picture.pixels, *notes, "background: left as it was")
        return paint(picture, matte, self.colour, notes)

    def find_matte(self, picture: Picture) -> tuple[Planes, tuple[str, ...]]:
        """The product's share of each pixel (H, W) in 0..1, and reasons to doubt it."""
        if not self.region.is_empty:
            inside = self.region.rasterise(picture.height, picture.width).astype(np.float32)
            return np.asarray(cv2.GaussianBlur(inside, (0, 0), FEATHER), np.float32), ()
        if picture.alpha is not None and picture.alpha.min() < 255:
            return to_unit(picture.alpha), ()
        matte = find_product(picture.pixels)
        return matte, list_doubts(picture.pixels, matte)


def paint(picture: Picture, matte: Planes, colour: str, notes: tuple[str, ...]) -> Picture:
    """The picture's product, by `matte` (H, W), over `colour`; or, where that is transparent, with alpha."""
    cleaned = clean_colours(picture.pixels, matte)
    if colour == TRANSPARENT:
        alpha = np.rint(matte * 255).astype(np.uint8)
        cleaned = np.where(alpha[..., None] > 0, cleaned, np.uint8(255))
        return replace(picture, pixels=cleaned, alpha=alpha, notes=picture.notes + notes)
    pixels = cover(cleaned, matte, np.array(read_colour(colour), np.uint8))
    return replace(picture, pixels=pixels, alpha=None, notes=picture.notes + notes)


def cover(pixels: Pixels, matte: Planes, colour: Pixels) -> Pixels:
    """`pixels` (H, W, 3) over `colour` (3,); exactly one of them where `matte` (H, W) is 1 or 0."""
    painted = np.where(matte[..., None] > 0, pixels, colour)
    soft = (matte > 0) & (matte < 1)
    share = matte[soft][:, None]
    painted[soft] = np.clip(np.rint(pixels[soft] * share + colour * (1 - share)), 0, 255).astype(np.uint8)
    return painted
