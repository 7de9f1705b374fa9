"""Pixels between the two forms in use: uint8 (N, H, W, C) on disk, float (N, C, H, W) in [-1, 1] in networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor


def to_planes(images: npt.NDArray[np.uint8]) -> Tensor:
    """uint8 array (N, H, W, C) to a uint8 tensor (N, C, H, W); only a read-only array is copied."""
    import torch

    return torch.from_numpy(np.require(images, requirements="W")).permute(0, 3, 1, 2)


def to_signed(planes: Tensor) -> Tensor:
    """uint8 tensor (N, C, H, W) in 0..255 to float32 in [-1, 1], the memory layout kept."""
    return planes.float().div_(127.5).sub_(1.0)


def to_bytes(images: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """float (N, C, H, W) in [-1, 1] to uint8 (N, H, W, C), rounded half up."""
    scaled = np.floor((images + 1.0) * 127.5 + 0.5)
    return np.ascontiguousarray(np.clip(scaled, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1))
