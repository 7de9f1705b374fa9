"""What all super-resolution families share: shrunk luma in, the clean luma out, and their losses and figures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.errors import InputError
from models.families.family import FamilyConfig, ImageShape, Parts
from models.families.restoration import Degraded, RestorationConfig, RestorationFamily, from_signed, psnr, turn
from models.families.training_degradation import DegradeConfig, worsen
from models.imaging.colour import LUMA
from models.imaging.scaling.resampling import cubic, weigh

SCALES = (2, 3, 4)
WINDOW = 5
"""Pixels across and down that bicubic enlargement looks at, whatever the scale."""
FLOOR = 1e-4
"""Mean squared error of luma, 40 dB: nearer pictures count less and less, or the hard ones are not learned."""
STUDIO_RANGE = 219 / 255
"""Papers measure PSNR on luma that spans the levels 16 to 235."""

Scale = Annotated[Literal[2, 3, 4], Field(description="how many times wider and higher the picture becomes")]

Width = Annotated[int, Field(ge=2, le=512, description="features of the first layer; the second has half as many")]


class UpscalingConfig(RestorationConfig):
    """The parameters that all trained super-resolution families share."""

    scale: Scale = 2
    degrade: DegradeConfig = Field(
        default_factory=DegradeConfig, description="what a training's small pictures suffer beside the shrinking"
    )


class UpscalingFamily(RestorationFamily):
    """A network from luma (N, 1, H, W) in [0, 1] to luma (N, 1, scale H, scale W), near [0, 1] but not clipped."""

    Config: ClassVar[type[FamilyConfig]] = UpscalingConfig
    capability: ClassVar[str] = "upscale"
    degradation: ClassVar[str] = "luma, shrunk by the scale with Pillow's bicubic"
    baseline_name: ClassVar[str] = "bicubic"
    config: UpscalingConfig

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        """Build the network for clean images of `shape`.

        Raises:
            InputError: their side is not a multiple of the scale, or is the scale itself.
        """
        super().__init__(config, shape)
        if shape.size % self.config.scale or shape.size == self.config.scale:
            raise InputError("prepare.size", shape.size, f"a larger multiple of the scale {self.config.scale}")
        self._network = self.build()

    @abstractmethod
    def build(self) -> nn.Module:
        """The network with random weights."""

    @property
    @abstractmethod
    def reach(self) -> int:
        """Pixels of the small picture, on each side, that a pixel of the large one may depend on."""

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self._network}

    @property
    def facts(self) -> dict[str, Any]:
        return {"scale": self.config.scale, "reach": self.reach, "macs": count_macs(self.served())}

    def degrade(self, clean: Tensor) -> Degraded:
        """The luma of images (N, C, H, W) shrunk by the scale and made worse as asked, and their own; C is 1 or 3."""
        small = worsen(luma(shrink(clean, self.config.scale)), self.config.degrade)
        return Degraded({"image": small}, luma(clean))

    def baseline(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The luma enlarged by Pillow's bicubic."""
        small, scale = inputs["image"], self.config.scale
        down, across = (torch.tensor(weigh(side, side * scale)) for side in small.shape[2:])
        return down @ (small @ across.T)

    def sample_inputs(self, height: int, width: int) -> dict[str, Tensor]:
        return {"image": torch.rand(2, 1, height, width)}

    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Minus the images' mean PSNR in dB (Chen et al. 2021, HINet, sec. 3.4), less steep from 40 dB up."""
        degraded = self.degrade(shift(turn(from_signed(images)), self.config.scale))
        errors = (parts.networks["generator"](degraded.inputs["image"]) - degraded.target).square().mean((1, 2, 3))
        loss = 10 * (errors + FLOOR).log10().mean()
        parts.update("generator", loss)
        return {"loss_generator": loss.detach()}

    def measure(self, made: Tensor, target: Tensor) -> Tensor:
        """PSNR of luma of 16 to 235 out of 255, as papers give it, but away from the edges.

        Left out is what depends on pixels beyond an edge, at most a quarter of the side: pieces of photos have more
        edges than photos, and a network that is better at these is not better.
        """
        border = min(self.config.scale * self.reach, min(made.shape[2:]) // 4)
        inner = slice(border, -border or None)
        return psnr(made[..., inner, inner], target[..., inner, inner], 1 / STUDIO_RANGE)


class ExactConv2d(nn.Conv2d):
    """A convolution in float32 wherever it runs, for what takes or gives luma: bfloat16 rounds that by half a level."""

    def forward(self, values: Tensor) -> Tensor:
        """Values (N, C, H, W) to what the convolution makes of them."""
        with torch.autocast(values.device.type, enabled=False):
            return super().forward(values.float())


class Enlarge(nn.Module):
    """Bicubic enlargement of luma (N, 1, H, W), the same as Pillow's but for two pixels along the border."""

    kernels: Tensor

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("kernels", enlarging_kernels(scale), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Luma (N, 1, H, W) to (N, 1, scale H, scale W)."""
        padded = functional.pad(image, (WINDOW // 2,) * 4, mode="replicate")
        with torch.autocast(image.device.type, enabled=False):
            return functional.pixel_shuffle(functional.conv2d(padded.float(), self.kernels), self.scale)


def enlarging_kernels(scale: int) -> Tensor:
    """Bicubic enlargement as one small kernel for each of the `scale`^2 pixels that a pixel becomes, in their order."""
    reach = np.arange(WINDOW) - WINDOW // 2
    offsets = (np.arange(scale) + 0.5) / scale - 0.5
    lines = cubic(reach - offsets[:, None])
    kernels = np.einsum("ai,bj->abij", lines, lines).reshape(scale**2, 1, WINDOW, WINDOW)
    return torch.from_numpy(kernels.astype(np.float32))


def luma(images: Tensor) -> Tensor:
    """Luma (N, 1, H, W) of images (N, C, H, W) in [0, 1]; grey ones are luma already."""
    if images.shape[1] == 1:
        return images
    weights = torch.from_numpy(LUMA).to(images.device)[:, None, None]
    return (images * weights).sum(1, keepdim=True)


def shift(images: Tensor, scale: int) -> Tensor:
    """The batch (N, C, H, W) less `scale` rows and columns, so that the small pixels begin now here, now there."""
    top, left = torch.randint(scale, (2,)).tolist()
    return images[..., top : top - scale, left : left - scale]


def shrink(images: Tensor, scale: int) -> Tensor:
    """Images (N, C, H, W) in [0, 1] shrunk as Pillow shrinks files: bicubic, rounded to 8 bits after either pass."""
    height, width = images.shape[2:]
    across, down = (torch.tensor(weigh(side, side // scale), device=images.device) for side in (width, height))
    return to_grid(down @ to_grid(images @ across.T))


def to_grid(images: Tensor) -> Tensor:
    """Images clipped to [0, 1] and rounded to the levels of 8 bits."""
    return (images.clamp(0, 1) * 255).round() / 255


def count_macs(network: nn.Module) -> int:
    """Multiply-adds of a network's convolutions for each pixel of the small picture."""
    total, side, hooks = 0, 64, []

    def count(layer: nn.Conv2d, _: tuple[Tensor, ...], made: Tensor) -> None:
        nonlocal total
        total += layer.weight.numel() * (made.shape[2] // side) ** 2  # whole enlargements: what is padded is left out

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            hooks.append(layer.register_forward_hook(count))
    with torch.inference_mode():
        network(torch.rand(1, 1, side, side))
    for hook in hooks:
        hook.remove()
    return total
