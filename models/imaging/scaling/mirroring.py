"""Pictures padded to the sides that a network accepts."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Kind = TypeVar("Kind", bound=np.generic)


def mirror(values: npt.NDArray[Kind], multiple: int) -> npt.NDArray[Kind]:
    """Values (H, W, ...) with both sides made multiples of `multiple`, mirrored at the right and below."""
    height, width = values.shape[:2]
    pads = [(0, -height % multiple), (0, -width % multiple), *[(0, 0)] * (values.ndim - 2)]
    return np.pad(values, pads, mode="symmetric")
