"""SRCNN: three layers over the picture enlarged by bicubic (Dong et al. 2016, arXiv:1501.00092, sec. 3)."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.families.family import FamilyConfig
from models.families.upscaling import WINDOW, Enlarge, ExactConv2d, UpscalingConfig, UpscalingFamily, Width


class SRCNNConfig(UpscalingConfig):
    """The network's size; the default is the paper's."""

    family: Literal["srcnn"] = "srcnn"
    width: Width = 64


class SRCNN(nn.Module):
    """Luma to larger luma: bicubic, 9x9 to `width` features, 5x5 to half as many, and 5x5 to one plane (9-5-5)."""

    def __init__(self, scale: int, width: int) -> None:
        super().__init__()
        self.enlarge = Enlarge(scale)
        self.features = ExactConv2d(1, width, 9)
        self.mapping = nn.Conv2d(width, width // 2, 5)
        self.tail = ExactConv2d(width // 2, 1, 5)

    def forward(self, image: Tensor) -> Tensor:
        """Luma (N, 1, H, W) to (N, 1, scale H, scale W)."""
        large = functional.pad(self.enlarge(image), (8, 8, 8, 8), mode="replicate")
        features = torch.relu(self.mapping(torch.relu(self.features(large))))
        made: Tensor = self.tail(features)
        return made


class SRCNNFamily(UpscalingFamily):
    """The paper's network, trained like every super-resolution family here."""

    Config: ClassVar[type[FamilyConfig]] = SRCNNConfig
    config: SRCNNConfig
    title: ClassVar[str] = "SRCNN: three layers at full size (Dong et al. 2016)"
    paper: ClassVar[str] = (
        "Dong et al.: Image Super-Resolution Using Deep Convolutional Networks. IEEE TPAMI 38(2), 2016, "
        "arXiv:1501.00092"
    )

    def build(self) -> SRCNN:
        return SRCNN(self.config.scale, self.config.width)

    @property
    def reach(self) -> int:
        return WINDOW // 2 + -(-(4 + 2 + 2) // self.config.scale)
