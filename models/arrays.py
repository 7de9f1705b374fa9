"""The arrays that pass between modules: one name each for what they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""Levels 0 to 255 of a picture, (H, W) or (H, W, C)."""
Images = npt.NDArray[np.uint8]
"""Pictures of one size, (N, H, W, C)."""
Planes = npt.NDArray[np.float32]
"""Single precision: planes of a picture, mattes, what networks take and give."""
Mask = npt.NDArray[np.bool_]
"""True inside, (H, W)."""
Values = npt.NDArray[np.float64]
"""Double precision: figures, and what linear algebra needs."""
Labels = npt.NDArray[np.int64]
"""The category of each picture, (N,)."""
Indices = npt.NDArray[np.int64]
"""Places in other arrays."""
Regions = npt.NDArray[np.int32]
"""The number of the connected part that each pixel belongs to, (H, W)."""
Array = npt.NDArray[Any]
"""Any of them."""
