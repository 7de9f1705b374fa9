"""A colour as a person gives it: #rrggbb or a name."""

from __future__ import annotations

from typing import Annotated

from PIL import ImageColor
from pydantic import AfterValidator


def read_colour(text: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of `#rrggbb` or a CSS name.

    Raises:
        ValueError: it is neither.
    """
    try:
        channels = ImageColor.getrgb(text)
    except ValueError as error:
        raise ValueError("a colour such as white or #f5f5f5") from error
    if len(channels) != 3:
        raise ValueError("a colour without transparency, such as #f5f5f5")
    red, green, blue = channels
    return red, green, blue


def _check(text: str) -> str:
    read_colour(text)
    return text


Colour = Annotated[str, AfterValidator(_check)]
