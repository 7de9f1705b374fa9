"""FoldSR (ours): many narrow layers at low resolution, each trained as a sum of branches and folded into one."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.families.family import FamilyConfig
from models.families.upscaling import WINDOW, ExactConv2d, UpscalingConfig, UpscalingFamily, enlarging_kernels

SLOPE = 0.1
EDGES = (
    ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),  # Sobel, across
    ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),  # Sobel, down
    ((0, 1, 0), (1, -4, 1), (0, 1, 0)),  # Laplace
)


class FoldSRConfig(UpscalingConfig):
    """The network's size; the defaults stay within twice ESPCN's multiply-adds at every scale."""

    family: Literal["foldsr"] = "foldsr"
    width: int = Field(default=16, ge=2, le=128, description="channels of the hidden layers")
    layers: int = Field(default=17, ge=1, le=64, description="hidden layers of 3x3")


class FoldedLayer(nn.Module):
    """A 3x3 convolution whose kernel is a sum: 3x3, 1x1 then 3x3, the identity, and scaled edge filters.

    All are linear, so one kernel is equivalent (Ding et al. 2021, sec. 3.3; Zhang et al. 2021, eq. 5 to 10). It
    is summed before the convolution already in training, which then costs what the folded layer costs.
    """

    edges: Tensor
    identity: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(width, width, 3, 3))
        self.squeeze = nn.Parameter(torch.empty(2 * width, width, 1, 1))
        self.expand = nn.Parameter(torch.empty(width, 2 * width, 3, 3))
        self.mix = nn.Parameter(torch.empty(len(EDGES), width, width))
        self.strength = nn.Parameter(torch.full((len(EDGES), width), 1e-2))
        self.bias = nn.Parameter(torch.zeros(width))
        for weight, gain in ((self.kernel, 0.3), (self.squeeze, 1.0), (self.expand, 0.1)):
            nn.init.kaiming_normal_(weight, a=SLOPE)
            weight.data.mul_(gain)
        nn.init.normal_(self.mix, std=width**-0.5)
        self.register_buffer("edges", torch.tensor(EDGES, dtype=torch.float32), persistent=False)
        identity = torch.zeros(width, width, 3, 3)
        identity[range(width), range(width), 1, 1] = 1
        self.register_buffer("identity", identity, persistent=False)

    def fold(self) -> Tensor:
        """The one kernel (width, width, 3, 3)."""
        with torch.autocast(self.kernel.device.type, enabled=False):
            series = (self.expand.flatten(2).transpose(1, 2) @ self.squeeze.flatten(1)).transpose(1, 2)
            mixed = (self.strength[..., None] * self.mix).flatten(1)
            edges = (mixed.T @ self.edges.flatten(1)).reshape_as(self.kernel)
            return self.kernel + series.reshape_as(self.kernel) + self.identity + edges

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, width, H, W) to features of the same shape."""
        return functional.conv2d(features, self.fold(), self.bias, padding=1)


class FoldSR(nn.Module):
    """Luma to larger luma: a learned linear enlargement, plus what a stack of layers finds to add to it."""

    def __init__(self, layers: list[nn.Module], width: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.head = ExactConv2d(1, width, WINDOW)
        self.body = nn.ModuleList(layers)
        self.tail = ExactConv2d(width, scale**2, 3, padding=1)
        self.skip = ExactConv2d(1, scale**2, WINDOW, bias=False)
        with torch.no_grad():
            self.tail.weight.mul_(0.1)
            self.tail.bias.zero_()  # type: ignore[union-attr]
            self.skip.weight.copy_(enlarging_kernels(scale))

    def forward(self, image: Tensor) -> Tensor:
        """Luma (N, 1, H, W) to (N, 1, scale H, scale W)."""
        reach = WINDOW // 2
        padded = functional.pad(image, (reach,) * 4, mode="replicate")
        features = functional.leaky_relu(self.head(padded), SLOPE)
        for layer in self.body:
            features = functional.leaky_relu(layer(features), SLOPE)
        return functional.pixel_shuffle(self.skip(padded) + self.tail(features), self.scale)


class FoldSRFamily(UpscalingFamily):
    """Each layer is trained as four branches and served as one 3x3 convolution."""

    Config: ClassVar[type[FamilyConfig]] = FoldSRConfig
    title: ClassVar[str] = "FoldSR: narrow re-parameterised layers at low resolution"
    paper: ClassVar[str] = (
        "our own, after Ding et al.: Diverse Branch Block. CVPR 2021, arXiv:2103.13425; and Zhang et al.: "
        "Edge-oriented Convolution Block for Real-time Super Resolution on Mobile Devices. ACM MM 2021"
    )
    config: FoldSRConfig
    _network: FoldSR

    def build(self) -> FoldSR:
        layers = [FoldedLayer(self.config.width) for _ in range(self.config.layers)]
        return FoldSR(list(layers), self.config.width, self.config.scale)

    @property
    def reach(self) -> int:
        return WINDOW // 2 + self.config.layers + 1

    def served(self) -> nn.Module:
        """The same network with every layer folded into a plain convolution."""
        trained, width = self._network, self.config.width
        plain = [nn.Conv2d(width, width, 3, padding=1) for _ in range(self.config.layers)]
        folded = FoldSR(list(plain), width, self.config.scale)
        weights = {name: value for name, value in trained.state_dict().items() if not name.startswith("body.")}
        for index, layer in enumerate(trained.body):
            if isinstance(layer, FoldedLayer):
                weights |= {f"body.{index}.weight": layer.fold().detach(), f"body.{index}.bias": layer.bias.detach()}
        folded.load_state_dict(weights)
        return folded.eval()
