"""Outlining a product with a network that was exported to ONNX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from models.arrays import Pixels, Planes
from models.exported.onnx_file import write_onnx
from models.imaging.cutout.fringe import follow_edges
from models.outline.network import Outliner

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SEEN = 224
"""The longer side that the network sees."""
INPUT, OUTPUTS = "photo", ["alpha", "trust"]
Network = Callable[[Planes], tuple[Planes, float]]


class Shared(nn.Module):
    """The outliner with its logits as shares of 0..1, as it is exported."""

    def __init__(self, network: Outliner) -> None:
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        logits, trust = self.network(photo)
        return logits.sigmoid(), trust.sigmoid()


def export_outliner(network: Outliner, about: dict[str, str], path: Path) -> None:
    """Writes `network` for photos (1, 3, SEEN, SEEN) in [0, 1]."""
    write_onnx(Shared(network).eval(), {INPUT: torch.zeros(1, 3, SEEN, SEEN)}, OUTPUTS, about, path, dynamic=())


def through(session: InferenceSession) -> Network:
    """The exported network as a function of a photo (3, h, w): its alpha (h, w) and trust."""

    def outline(photo: Planes) -> tuple[Planes, float]:
        alpha, trust = session.run(OUTPUTS, {INPUT: photo[None]})
        return np.asarray(alpha[0, 0], np.float32), float(trust[0])

    return outline


def square(pixels: Pixels, longest: int) -> tuple[Pixels, int, int]:
    """The photo (longest, longest, 3), its border continued, and its height and width in it."""
    scale = longest / max(pixels.shape[:2])
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    padded = cv2.copyMakeBorder(small, 0, longest - height, 0, longest - width, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8), height, width


def find_outline(pixels: Pixels, network: Network, longest: int = SEEN) -> tuple[Planes, float]:
    """The product's share (H, W) in 0..1 of each of `pixels` (H, W, 3), and the doubt about it in 0..1.

    The doubt is one less the intersection over union that the network expects, the mean of two looks, plus how far
    the outline of the mirrored photo disagrees.
    """
    padded, height, width = square(pixels, longest)
    photo = np.ascontiguousarray(padded.transpose(2, 0, 1), np.float32) / np.float32(255)
    first, trust = network(photo)
    turned, other_trust = network(np.ascontiguousarray(photo[:, :, ::-1]))
    second = turned[:, ::-1]
    mask = np.asarray((first + second) / 2, np.float32)
    alpha = follow_edges(mask[:height, :width].copy(), padded[:height, :width].copy(), pixels, 2)
    disagreement = 1 - measure_overlap(first, second)
    return sharpen(alpha, 1.4), float(np.clip(1 - (trust + other_trust) / 2 + disagreement, 0, 1))


def measure_overlap(first: Planes, second: Planes) -> float:
    """Soft intersection over union of two masks."""
    both = np.minimum(first, second).sum()
    return float((both + 1) / (np.maximum(first, second).sum() + 1))


def sharpen(alpha: Planes, gain: float) -> Planes:
    """Steeper around one half, so that what is nearly 0 or 1 is exactly that."""
    return np.asarray(np.clip((alpha - 0.5) * gain + 0.5, 0, 1), np.float32)
