"""The shape of a frame as a person gives it: width to height, such as 4:3."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

SIDES = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")
MOST = 100
"""Times as long as the other side; a picture has a pixel of each."""


def read_aspect(text: str) -> float:
    """How many times as wide as high `4:3` is.

    Raises:
        ValueError: it is no such text.
    """
    found = SIDES.fullmatch(text.strip())
    wide, high = (float(side) for side in found.groups()) if found else (0.0, 0.0)
    if not (wide and high and 1 / MOST <= wide / high <= MOST):
        raise ValueError(f"width to height, such as 4:3, at most {MOST} to 1")
    return wide / high


def _check(text: str) -> str:
    read_aspect(text)
    return text


AspectText = Annotated[str, AfterValidator(_check)]
