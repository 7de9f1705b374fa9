"""What an editing family is: it learns to restore images that it degrades itself."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from models.arrays import Images
from models.families.family import Decay, FamilyConfig, GradientConfig, GradientFamily
from models.pixels import to_planes

JUDGED_AT_ONCE = 16
"""Held-out images per call of the network."""
SEED_OF_THE_JUDGE = 2025
"""Held-out images are degraded alike at every evaluation, so that figures can be compared."""


class RestorationConfig(GradientConfig):
    """The parameters that all trained editing families share."""

    learning_rate: Annotated[float, Field(gt=0, le=1, description="step size of all networks")] = 1e-3
    beta1: Annotated[float, Field(ge=0, lt=1, description="Adam's first moment, or SGD's momentum")] = 0.9
    decay: Decay = "cosine"
    clip: float = Field(default=0.0, ge=0, le=1000, description="longest gradient of a network, as a norm; 0 is any")


@dataclass(frozen=True)
class Degraded:
    """A network's inputs for N clean images, by name, and the target output; all (N, C, H, W)."""

    inputs: Mapping[str, Tensor]
    target: Tensor


class RestorationFamily(GradientFamily):
    """A family that edits: named inputs in, one image out, floats in [0, 1].

    A subclass defines how an image is degraded, and its `step` how the networks learn to restore it. The trainer's
    images are clean; degradations are drawn from torch's CPU random numbers, which a resumed training restores.
    """

    Config: ClassVar[type[FamilyConfig]] = RestorationConfig
    config: RestorationConfig
    criterion: ClassVar[str | None] = "validation_negative_psnr"
    """The figure that selects the best weights; lower is better."""
    degradation: ClassVar[str]
    """What `degrade` does to an image, in words for reports."""
    baseline_name: ClassVar[str]
    """The name of `baseline` in reports."""
    measured: ClassVar[str] = "PSNR"
    """What `measure` measures (in dB), in words for reports."""

    @property
    def latent(self) -> int:
        return 0

    @property
    def conditional(self) -> bool:
        return False

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What users of the exported file must know, such as `{"scale": 2}`."""

    @abstractmethod
    def degrade(self, clean: Tensor) -> Degraded:
        """Inputs and target of clean images (N, C, H, W) in [0, 1]; draws from torch's CPU random numbers."""

    @abstractmethod
    def baseline(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The result from degraded inputs (N, C, H, W) without any training: the least that a network must beat."""

    @abstractmethod
    def sample_inputs(self, height: int, width: int) -> dict[str, Tensor]:
        """Two random inputs for the network, `height` x `width`, for export and comparison."""

    def served(self) -> nn.Module:
        """The network that is exported: `generator`, or a faster equivalent."""
        return self.generator

    @property
    def most_gradient(self) -> float:
        return self.config.clip or math.inf

    def judge(self, network: nn.Module, images: Images) -> tuple[float, Images]:
        """-PSNR in dB, the mean over clean uint8 images (N, H, W, C), and what `network` made of the first of them."""
        device, figures, restored = next(network.parameters()).device, [], []
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED_OF_THE_JUDGE)
            for start in range(0, len(images), JUDGED_AT_ONCE):
                degraded = self.degrade(from_bytes(images[start : start + JUDGED_AT_ONCE]))
                made = network(*(value.to(device) for value in degraded.inputs.values())).float().cpu()
                figures.append(self.measure(made, degraded.target))
                restored.append((made[:1].clamp(0, 1) * 255).round().byte())
        return -float(torch.cat(figures).mean()), torch.cat(restored).permute(0, 2, 3, 1).numpy()

    def export(self, weights: Path, categories: list[str], path: Path) -> float:
        from models.exported.editor import export_restoration

        return export_restoration(self, weights, path)

    def measure(self, made: Tensor, target: Tensor) -> Tensor:
        """PSNR in dB of each image made (N, C, H, W), shape (N,)."""
        return psnr(made, target)


def psnr(made: Tensor, target: Tensor, peak: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in dB of images (N, C, H, W) clipped to [0, 1], shape (N,); 100 for equal images."""
    squares = (made.clamp(0, 1) - target).square().mean((1, 2, 3))
    return 10 * torch.log10(peak**2 / squares.clamp(min=peak**2 * 1e-10))


def from_signed(images: Tensor) -> Tensor:
    """The trainer's images in [-1, 1] as floats in [0, 1]."""
    return (images + 1) / 2


def from_bytes(images: Images) -> Tensor:
    """uint8 images (N, H, W, C) as floats (N, C, H, W) in [0, 1]."""
    return to_planes(np.ascontiguousarray(images)).float() / 255


def turn(images: Tensor) -> Tensor:
    """The batch (N, C, H, W), H = W, in one of the square's eight positions, drawn anew for each quarter of it."""
    parts = []
    for part in images.chunk(4):
        position = int(torch.randint(8, ()))
        turned = torch.rot90(part, position % 4, (2, 3))
        parts.append(turned.flip(3) if position >= 4 else turned)
    return torch.cat(parts)
