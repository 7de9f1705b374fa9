"""The block that deep convolutional networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.1
"""Of the leaky ReLUs, where a value is negative."""


class Residual(nn.Module):
    """Two 3x3 convolutions that add to what comes in (He et al. 2016), without normalisation."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.3)

    def forward(self, features: Tensor) -> Tensor:
        made: Tensor = self.second(functional.leaky_relu(self.first(functional.leaky_relu(features, SLOPE)), SLOPE))
        return features + made
