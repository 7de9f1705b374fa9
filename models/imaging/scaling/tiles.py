"""Large pictures piece by piece: overlapping tiles in flat memory, with the result of one call over the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from models.arrays import Array

Change = Callable[[Array], Array]
"""A part of a picture (H, W, ...) to what it becomes, (scale H, scale W, ...)."""


class Span(NamedTuple):
    """One side of a tile: what is seen of the picture, `begin` to `end`, and what is kept, `first` to `last`."""

    begin: int
    end: int
    first: int
    last: int

    def kept(self, scale: int) -> slice:
        """Where the kept part lies in what was made of the seen part."""
        return slice((self.first - self.begin) * scale, (self.last - self.begin) * scale)

    def placed(self, scale: int) -> slice:
        """Where the kept part lies in the whole result."""
        return slice(self.first * scale, self.last * scale)


def change_in_tiles(change: Change, picture: Array, out: Array, scale: int, tile: int, overlap: int) -> Array:
    """Fill `out` (scale H, scale W, ...) with what `change` makes of `picture` (H, W, ...), tile by tile; returns it.

    A tile gives `tile` x `tile` pixels of the picture and sees `overlap` more on each side. Where that is at least what
    `change` looks at around a pixel, the result is that of one call over the whole picture.
    """
    height, width = picture.shape[:2]
    for down in spans(height, tile, overlap):
        for across in spans(width, tile, overlap):
            made = change(np.ascontiguousarray(picture[down.begin : down.end, across.begin : across.end]))
            out[down.placed(scale), across.placed(scale)] = made[down.kept(scale), across.kept(scale)]
    return out


def spans(length: int, tile: int, overlap: int) -> Iterator[Span]:
    """The tiles along a side of `length` pixels; near the ends they see as much as there is."""
    for first in range(0, length, tile):
        last = min(first + tile, length)
        yield Span(max(first - overlap, 0), min(last + overlap, length), first, last)
