"""A part of a picture, marked by a mask in a file, by boxes or by polygons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.arrays import Mask, Pixels
from models.errors import CatalogueError, InputError
from models.imaging.filling.polygon import fill_polygon
from tasks.photos.decoding import check_still, opened_photo

INSIDE = 128  # a mask pixel this bright or brighter is marked
BETWEEN = (32, 223)  # neither black nor white
MOST_COLOURED = 32  # the widest spread of a grey pixel's channels in a mask stored as JPEG
MOST_BETWEEN = 0.05  # soft edges take up less of a mask; even the least detailed photograph has more

SIDES = ("left", "top", "right", "bottom")
Point = tuple[float, float]


class Box(BaseModel):
    """A rectangle of pixels; `right` and `bottom` are exclusive. Its text form is `left top right bottom`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    left: int = Field(ge=0)
    top: int = Field(ge=0)
    right: int = Field(ge=1)
    bottom: int = Field(ge=1)

    @model_validator(mode="before")
    @classmethod
    def read(cls, value: object) -> object:
        """Accept four numbers, as text or as a list, as a box."""
        if isinstance(value, str):
            value = value.split()
        if isinstance(value, (list, tuple)) and len(value) == len(SIDES):
            return dict(zip(SIDES, value, strict=True))
        if not isinstance(value, (dict, Box)) or (isinstance(value, dict) and set(value) != set(SIDES)):
            raise ValueError("four numbers a box: left top right bottom, such as 10 20 110 90")
        return value

    @model_validator(mode="after")
    def check(self) -> Self:
        """Left of right, and top above bottom."""
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError("a box whose left is less than its right and whose top is less than its bottom")
        return self

    def __str__(self) -> str:
        return f"{self.left} {self.top} {self.right} {self.bottom}"


class Region(BaseModel):
    """What a mask, boxes and polygons mark together; an empty region marks nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mask: str | None = Field(default=None, description="path of a black and white picture, white inside")
    scale_mask: bool = Field(default=False, description="scale a mask of another size to the picture's")
    boxes: tuple[Box, ...] = Field(default=(), description="left top right bottom; ... in pixels")
    polygons: tuple[tuple[Point, ...], ...] = Field(default=(), description="x y x y x y ...; ... in pixels")

    @field_validator("boxes", mode="before")
    @classmethod
    def read_boxes(cls, value: object) -> object:
        """`10 20 110 90;200 20 300 80` is two boxes."""
        return _parts(value) if isinstance(value, str) else value

    @field_validator("polygons", mode="before")
    @classmethod
    def read_polygons(cls, value: object) -> object:
        """`0 0 50 0 50 50` is a triangle; a semicolon ends a polygon."""
        return [_pairs(part) for part in _parts(value)] if isinstance(value, str) else value

    @field_validator("polygons")
    @classmethod
    def check_polygons(cls, value: tuple[tuple[Point, ...], ...]) -> tuple[tuple[Point, ...], ...]:
        """At least three corners, each a finite number of pixels."""
        for polygon in value:
            if len(polygon) < 3 or not np.isfinite(polygon).all():
                raise ValueError("three or more corners a polygon: x y x y x y, such as 0 0 50 0 50 50")
        return value

    @property
    def is_empty(self) -> bool:
        """Whether nothing was given."""
        return self.mask is None and not self.boxes and not self.polygons

    def rasterise(self, height: int, width: int) -> Mask:
        """The region on a picture of `height` x `width`: bool (H, W), True inside.

        Raises:
            InputError: nothing was given or marked, a part lies outside the picture, or the mask cannot
                be read, has another size, or is a photograph.
        """
        if self.is_empty:
            raise InputError("region", "nothing", "a mask, boxes or polygons")
        if self.mask is not None:
            inside = _read_mask(Path(self.mask), height, width, self.scale_mask)
        else:
            inside = np.zeros((height, width), np.bool_)
        for box in self.boxes:
            _check_inside("box", str(box), [(box.left, box.top), (box.right, box.bottom)], height, width)
            inside[box.top : box.bottom, box.left : box.right] = True
        for polygon in self.polygons:
            text = " ".join(f"{value:g}" for point in polygon for value in point)
            _check_inside("polygon", text, polygon, height, width)
            fill_polygon(inside, polygon)
        if not inside.any():
            received = self.mask or "polygons that hold no pixel's centre"
            raise InputError("mask", received, "something marked: white inside, black outside")
        return inside


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _pairs(text: str) -> list[tuple[str, str]]:
    numbers = text.split()
    if len(numbers) % 2:
        raise ValueError("pairs of numbers, x y x y x y, such as 0 0 50 0 50 50")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _check_inside(field: str, text: str, points: Sequence[Point], height: int, width: int) -> None:
    if any(x < 0 or y < 0 or x > width or y > height for x, y in points):
        raise InputError(field, text, f"points inside the picture of {width}x{height} pixels")


def _read_mask(path: Path, height: int, width: int, scale: bool) -> Mask:
    try:
        with opened_photo(path) as image:
            check_still(image)
            levels = _levels(image)
    except (CatalogueError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError("mask", str(path), f"a black and white picture, but it is {reason}") from error
    between = (levels > BETWEEN[0]) & (levels < BETWEEN[1])
    if (share := float(between.mean())) > MOST_BETWEEN:
        allowed = f"white inside, black outside, but {share:.0%} of it is grey or coloured as in a photograph"
        raise InputError("mask", str(path), allowed)
    if levels.shape != (height, width):
        size, wanted = f"{levels.shape[1]}x{levels.shape[0]}", f"{width}x{height}"
        if not scale:
            allowed = f"{wanted}, the picture's size, or scale_mask=true to scale the mask to it"
            raise InputError("mask", f"{path} of {size}", allowed)
        levels = np.asarray(cv2.resize(levels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    inside: Mask = levels >= INSIDE
    return inside


def _levels(image: Image.Image) -> Pixels:
    """Brightness of a mask, uint8 (H, W); transparent counts as black, coloured as neither black nor white."""
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA"))
    colours = np.asarray(image.convert("RGB"))
    most, least = colours.max(axis=2), colours.min(axis=2)
    return np.where(most - least > MOST_COLOURED, np.uint8(INSIDE), most)
