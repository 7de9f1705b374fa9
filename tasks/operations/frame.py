"""Frame: cut and pad around the product to the share, shape and size that a marketplace asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from models.errors import InputError
from models.imaging.colour import to_unit
from models.imaging.cutout.doubt import list_doubts
from models.imaging.cutout.framing import cut_frame, find_border_colour, place_frame, resize
from models.imaging.cutout.matte import find_box, find_product
from tasks.operations.contract.aspect import AspectText, read_aspect
from tasks.operations.contract.colours import read_colour
from tasks.operations.contract.operation import EditContext, Operation, Stage
from tasks.photos.picture import Picture
from tasks.provenance.source_type import Marking

FAINTEST = 0.05
"""A pixel with at least this alpha is product and must not be cut off."""
LARGEST = 200_000_000
"""Pixels of the frame before it is resized."""
SURROUNDINGS = "surroundings"


class Frame(Operation):
    """Cut and pad so that the product takes a share of the frame, then resize.

    It does not alter the product, which is only resampled and never cut. Padding beside a picture with
    transparent parts is transparent.
    """

    title: ClassVar[str] = "Crop or pad to a product share, a square, and an exact or least size"
    may_alter_product: ClassVar[bool] = False
    marking: ClassVar[Marking] = "none"
    value_field: ClassVar[str | None] = "share"
    example: ClassVar[str] = "frame:0.85,square=true"
    stage: ClassVar[Stage] = "frame"
    keeps_size: ClassVar[bool] = False

    op: Literal["frame"] = "frame"
    share: float | None = Field(default=None, ge=0.1, le=1, description="of the frame that the product fills")
    measure: Literal["side", "area"] = Field(default="side", description="share of the side it fills most, or of area")
    square: bool = Field(default=False, description="a square frame; otherwise the picture's proportions")
    aspect: AspectText | None = Field(default=None, description="of the frame, width to height, such as 4:3 or 3:4")
    side: int | None = Field(default=None, ge=1, le=20_000, description="exact longer side in pixels")
    minimum_side: int | None = Field(default=None, ge=1, le=20_000, description="least longer side in pixels")
    background: str = Field(default="white", description="#rrggbb, a name, or surroundings: the border's own colour")

    @field_validator("background")
    @classmethod
    def check_background(cls, value: str) -> str:
        """A colour, or the border's own."""
        if value != SURROUNDINGS:
            read_colour(value)
        return value

    @model_validator(mode="after")
    def check_shape(self) -> Self:
        """One shape."""
        if self.square and self.aspect is not None:
            raise ValueError("square or aspect, not both")
        return self

    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The framed picture, with notes on a doubtful product, a visible seam or enlargement.

        Raises:
            InputError: the frame would be too large.
        """
        box, notes = self.find_extent(picture)
        frame = place_frame(box, picture.height, picture.width, self.share, self.find_aspect(), self.measure)
        size = (frame[3] - frame[1]) * (frame[2] - frame[0])
        if size > LARGEST:
            raise InputError("frame", f"{size:,} pixels", f"at most {LARGEST:,}: a greater share, or not square")
        framed = self.fill(picture, frame)
        notes += self.list_seams(picture, frame)
        return self.fit(replace(framed, notes=picture.notes + tuple(f"frame: {note}" for note in notes)))

    def find_aspect(self) -> float | None:
        """How many times as wide as high the frame is; None for the picture's own proportions."""
        if self.aspect is not None:
            return read_aspect(self.aspect)
        return 1.0 if self.square else None

    def find_extent(self, picture: Picture) -> tuple[tuple[int, int, int, int], tuple[str, ...]]:
        """The product's box and reasons to doubt it; the whole picture when it is not needed or not found."""
        whole = (0, 0, picture.width, picture.height)
        if self.share is None:
            return whole, ()
        if picture.alpha is not None and picture.alpha.min() < 255:
            return find_box(to_unit(picture.alpha), FAINTEST) or whole, ()
        matte = find_product(picture.pixels)
        return find_box(matte, FAINTEST) or whole, list_doubts(picture.pixels, matte)

    def fill(self, picture: Picture, frame: tuple[int, int, int, int]) -> Picture:
        """The picture inside `frame`, padded with the background; its transparent parts padded transparent."""
        colour = find_border_colour(picture.pixels) if self.background == SURROUNDINGS else read_colour(self.background)
        pixels = cut_frame(picture.pixels, frame, colour)
        alpha = (
            None if picture.alpha is None else cut_frame(picture.alpha, frame, 0 if picture.alpha.min() < 255 else 255)
        )
        return replace(
            picture, pixels=pixels, alpha=alpha, placement=picture.placement.then(left=-frame[0], top=-frame[1])
        )

    def list_seams(self, picture: Picture, frame: tuple[int, int, int, int]) -> tuple[str, ...]:
        """Whether the padding shows beside the picture's own background."""
        padded = frame[0] < 0 or frame[1] < 0 or frame[2] > picture.width or frame[3] > picture.height
        if not padded or self.background == SURROUNDINGS or picture.alpha is not None:
            return ()
        border, colour = find_border_colour(picture.pixels), read_colour(self.background)
        if max(abs(a - b) for a, b in zip(border, colour, strict=True)) <= 4:
            return ()
        found = "#{:02x}{:02x}{:02x}".format(*border)
        return (f"padded with {self.background} beside a background of {found}: run background first",)

    def fit(self, picture: Picture) -> Picture:
        """The picture at its exact or least size."""
        longer = max(picture.height, picture.width)
        side = self.side or max(longer, self.minimum_side or 0)
        if side == longer:
            return picture
        planes = picture.pixels if picture.alpha is None else np.dstack((picture.pixels, picture.alpha))
        resized = resize(planes, side)  # RGBA: Pillow weighs colours by alpha
        scale = resized.shape[1] / picture.width
        note = f"frame: enlarged {scale:.2f} times by bicubic; run upscale first for more detail"
        return replace(
            picture,
            pixels=np.ascontiguousarray(resized[..., :3]),
            alpha=None if picture.alpha is None else np.ascontiguousarray(resized[..., 3]),
            placement=picture.placement.then(scale=scale),
            notes=(*picture.notes, note) if scale > 1 else picture.notes,
        )
