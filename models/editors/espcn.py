"""ESPCN: two layers at low resolution and a sub-pixel convolution (Shi et al. 2016, arXiv:1609.05158, sec. 3.2)."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.families.family import FamilyConfig
from models.families.upscaling import ExactConv2d, UpscalingConfig, UpscalingFamily, Width


class ESPCNConfig(UpscalingConfig):
    """The network's size; the default is the paper's."""

    family: Literal["espcn"] = "espcn"
    width: Width = 64


class ESPCN(nn.Module):
    """Luma to larger luma: 5x5 to `width` features, 3x3 to half as many, 3x3 to `scale`^2, shuffled into one plane."""

    def __init__(self, scale: int, width: int) -> None:
        super().__init__()
        self.scale = scale
        self.features = ExactConv2d(1, width, 5, padding=2, padding_mode="replicate")
        self.mapping = nn.Conv2d(width, width // 2, 3, padding=1)
        self.tail = ExactConv2d(width // 2, scale**2, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Luma (N, 1, H, W) to (N, 1, scale H, scale W)."""
        features = torch.tanh(self.mapping(torch.tanh(self.features(image))))
        return functional.pixel_shuffle(self.tail(features), self.scale)


class ESPCNFamily(UpscalingFamily):
    """The paper's network, trained like every super-resolution family here."""

    Config: ClassVar[type[FamilyConfig]] = ESPCNConfig
    config: ESPCNConfig
    title: ClassVar[str] = "ESPCN: sub-pixel convolution (Shi et al. 2016)"
    paper: ClassVar[str] = (
        "Shi et al.: Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional "
        "Neural Network. CVPR 2016, arXiv:1609.05158"
    )

    def build(self) -> ESPCN:
        return ESPCN(self.config.scale, self.config.width)

    @property
    def reach(self) -> int:
        return 2 + 1 + 1
