"""Random changes to a batch of training images, drawn for each image and applied to the whole batch at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tvf

LUMA = (0.2989, 0.587, 0.114)
# FCC NTSC: the chroma plane (I, Q) in which a hue shift is a rotation.
RGB_TO_YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


class AugmentConfig(BaseModel):
    """How strongly training images are changed; 0 everywhere, the default, changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip: float = Field(default=0.0, ge=0, le=1, description="probability of a left-right flip")
    rotate: float = Field(default=0.0, ge=0, le=180, description="largest rotation either way, in degrees")
    scale: float = Field(default=0.0, ge=0, le=0.5, description="largest change of size, as a share of it")
    crop: int = Field(default=0, ge=0, le=64, description="largest shift either way, in pixels (pad, then crop)")
    brightness: float = Field(default=0.0, ge=0, le=1, description="largest change of brightness, as a share of it")
    contrast: float = Field(default=0.0, ge=0, le=1, description="largest change of contrast, as a share of it")
    saturation: float = Field(default=0.0, ge=0, le=1, description="largest change of saturation, as a share of it")
    hue: float = Field(default=0.0, ge=0, le=0.5, description="largest shift of hue, as a share of the colour circle")


class PerImage(v2.Transform):  # type: ignore[misc]  # torchvision has no type stubs
    """A torchvision v2 transform that draws one value for each image of a (N, C, H, W) batch.

    torchvision's own random transforms draw one value for the whole batch, and a loop over images is 10 to 50 times
    slower than one vectorised step. Values are drawn on the CPU, from `generator` or torch's global one, so that the
    same seed gives the same changes on every device.
    """

    _transformed_types = (torch.Tensor,)

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.generator = generator

    def uniform(self, images: Tensor, low: float, high: float) -> Tensor:
        """One value in [low, high) an image, shaped (N, 1, 1, 1), on the device of `images`."""
        drawn = torch.rand(len(images), generator=self.generator) * (high - low) + low
        return drawn.to(images.device)[:, None, None, None]

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Refuse anything but one batch; the values themselves are drawn in `transform`."""
        for images in flat_inputs:
            if not isinstance(images, Tensor) or images.ndim != 4:
                raise TypeError(f"augmentation: got {type(images).__name__}, allowed: a tensor of shape (N, C, H, W)")
        return {}


class Flip(PerImage):
    """Mirror each image left to right with the given `probability`."""

    def __init__(self, probability: float, generator: torch.Generator | None = None) -> None:
        super().__init__(generator)
        self.probability = probability

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        """The batch with the chosen images mirrored; exact for every dtype."""
        return torch.where(self.uniform(inpt, 0, 1) < self.probability, tvf.horizontal_flip(inpt), inpt)


class Crop(PerImage):
    """Pad each image by `padding` pixels of its own border and crop a random window of the original size."""

    def __init__(self, padding: int, generator: torch.Generator | None = None) -> None:
        super().__init__(generator)
        self.padding = padding

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        """The batch, each image shifted by whole pixels; exact for every dtype."""
        count, _, height, width = inpt.shape
        span = 2 * self.padding + 1
        down, right = torch.randint(span, (2, count), generator=self.generator).to(inpt.device) - self.padding
        # An index clamped to the image repeats the border pixels, as padding by them would, without the padded copy.
        rows = (torch.arange(height, device=inpt.device) + down[:, None]).clamp(0, height - 1)
        columns = (torch.arange(width, device=inpt.device) + right[:, None]).clamp(0, width - 1)
        pixels = (rows[:, :, None] * width + columns[:, None, :]).reshape(count, 1, -1)
        return inpt.flatten(2).gather(2, pixels.expand(-1, inpt.shape[1], -1)).view_as(inpt)


class RotateScale(PerImage):
    """Rotate each image by up to `degrees` and scale it by up to the share `scale`, in one bilinear resampling."""

    def __init__(self, degrees: float, scale: float, generator: torch.Generator | None = None) -> None:
        super().__init__(generator)
        self.degrees = degrees
        self.scale = scale

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        """The resampled batch; what comes in from outside repeats the image's border."""
        angle = self.uniform(inpt, -self.degrees, self.degrees).flatten() * (math.pi / 180)
        zoom = self.uniform(inpt, 1 - self.scale, 1 + self.scale).flatten()
        return as_float(inpt, lambda images: resample(images, angle, zoom))


class Colour(PerImage):
    """Change brightness, contrast, saturation and hue of each image, in this order, each by up to a share."""

    def __init__(self, config: AugmentConfig, generator: torch.Generator | None = None) -> None:
        super().__init__(generator)
        self.config = config

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        """The batch with changed colours; grey images have neither saturation nor hue to change."""
        shares = (self.config.brightness, self.config.contrast, self.config.saturation)
        brightness, contrast, saturation = (self.uniform(inpt, 1 - share, 1 + share) for share in shares)
        hue = self.uniform(inpt, -self.config.hue, self.config.hue)

        def change(images: Tensor) -> Tensor:
            images = (images * brightness).clamp(0, 1)
            images = blend(images, luma(images).mean((1, 2, 3), keepdim=True), contrast)
            if images.shape[1] == 1:
                return images
            images = blend(images, luma(images), saturation)
            return shift_hue(images, hue) if self.config.hue else images

        return as_float(inpt, change)


def build_augmentation(config: AugmentConfig, generator: torch.Generator | None = None) -> v2.Transform:
    """The transform that `config` describes, for batches (N, C, H, W) of uint8 in 0..255 or floats in 0..1.

    The result has the shape, dtype and range of the input. C is 1 or 3.
    """
    steps: list[v2.Transform] = []
    if config.flip:
        steps.append(Flip(config.flip, generator))
    if config.rotate or config.scale:
        steps.append(RotateScale(config.rotate, config.scale, generator))
    if config.crop:
        steps.append(Crop(config.crop, generator))
    if config.brightness or config.contrast or config.saturation or config.hue:
        steps.append(Colour(config, generator))
    return v2.Compose(steps) if steps else v2.Identity()


def as_float(images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply `change`, written for floats in 0..1, to a batch of either dtype; uint8 is rounded to the nearest."""
    if images.is_floating_point():
        return change(images)
    return (change(images.float() / 255) * 255).round().clamp(0, 255).to(images.dtype)


def resample(images: Tensor, angle: Tensor, zoom: Tensor) -> Tensor:
    """Rotate float `images` by `angle` (N,) radians counter-clockwise and enlarge them `zoom` (N,) times."""
    height, width = images.shape[2:]
    cosine, sine, zero = angle.cos() / zoom, angle.sin() / zoom, torch.zeros_like(angle)
    # affine_grid's coordinates run -1..1 along each side, hence the side ratios in a rotation of pixels.
    rows = torch.stack(
        [cosine, -sine * (height / width), zero, sine * (width / height), cosine, zero],
        dim=1,
    )
    grid = F.affine_grid(rows.view(-1, 2, 3).to(images.dtype), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def luma(images: Tensor) -> Tensor:
    """The grey version (N, 1, H, W) of a float batch, with torchvision's weights (ITU-R BT.601)."""
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def blend(images: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """`share` of `images` and the rest of `other`, kept in 0..1; a share above 1 moves away from `other`."""
    return (other + share * (images - other)).clamp(0, 1)


def shift_hue(images: Tensor, turn: Tensor) -> Tensor:
    """Turn the hue of a float RGB batch by `turn` (N, 1, 1, 1) of the colour circle, at constant luma."""
    angle = turn.flatten() * (2 * math.pi)
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    one = torch.ones_like(angle)
    # YIQ's I axis points at orange and Q at purple: red to green, as hue grows, is clockwise in (I, Q).
    rotation = torch.stack([one, zero, zero, zero, cosine, sine, zero, -sine, cosine], dim=1).view(-1, 3, 3)
    to_yiq = images.new_tensor(RGB_TO_YIQ)
    matrix = torch.linalg.inv(to_yiq) @ rotation.to(images.dtype) @ to_yiq
    return torch.einsum("nij,njhw->nihw", matrix, images).clamp(0, 1)
