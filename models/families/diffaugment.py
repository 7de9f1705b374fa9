"""Differentiable augmentation: real and generated images are augmented alike before the discriminator sees them."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor


class DiffAugmentConfig(BaseModel):
    """DiffAugment (Zhao et al. 2020), whose own strengths are 1, 1/8 and 1/2; 0 everywhere, the default, is off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    colour: float = Field(
        default=0.0, ge=0, le=1, description="strength of changes of brightness, saturation, contrast"
    )
    translation: float = Field(
        default=0.0, ge=0, le=0.5, description="largest shift either way, as a share of the side"
    )
    cutout: float = Field(default=0.0, ge=0, le=1, description="side of the square that is blanked, as a share")


def augment(images: Tensor, config: DiffAugmentConfig) -> Tensor:
    """Images (N, C, H, W) in [-1, 1], each changed in its own way; gradients pass through."""
    if config.colour:
        images = shift_colours(images, config.colour)
    if config.translation:
        images = translate(images, config.translation)
    return cut_out(images, config.cutout) if config.cutout else images


def draw(images: Tensor) -> Tensor:
    """A number in [-1/2, 1/2) for each image, (N, 1, 1, 1), drawn on the CPU whose generator a checkpoint keeps."""
    return (torch.rand(len(images), 1, 1, 1) - 0.5).to(images.device)


def shift_colours(images: Tensor, strength: float) -> Tensor:
    """Brightness by up to `strength` / 2, saturation by up to twice and contrast by up to half as much again."""
    images = images + strength * draw(images)
    if images.shape[1] > 1:
        grey = images.mean(1, keepdim=True)
        images = grey + (images - grey) * (1 + 2 * strength * draw(images))
    middle = images.mean((1, 2, 3), keepdim=True)
    return middle + (images - middle) * (1 + strength * draw(images))


def translate(images: Tensor, share: float) -> Tensor:
    """Shift along both sides by whole pixels, up to `share` of the side either way; grey (0) comes in."""
    for side in (2, 3):
        size = images.shape[side]
        most = int(share * size + 0.5)
        shift = torch.randint(-most, most + 1, (len(images), 1)).to(images.device)
        source = torch.arange(size, device=images.device) + shift
        shape = [len(images), 1, 1, 1]
        shape[side] = size
        inside = ((source >= 0) & (source < size)).view(shape)
        rows = source.clamp(0, size - 1).view(shape).expand_as(images)
        images = images.gather(side, rows) * inside
    return images


def cut_out(images: Tensor, share: float) -> Tensor:
    """Blank (0) a square of `share` of the side, anywhere, also over the edge."""
    size = images.shape[2]
    length = int(share * size + 0.5)
    hidden = torch.ones(len(images), 1, 1, 1, dtype=torch.bool, device=images.device)
    for side in (2, 3):
        start = torch.randint(-(length // 2), size - length // 2, (len(images), 1)).to(images.device)
        place = torch.arange(size, device=images.device) - start
        shape = [len(images), 1, 1, 1]
        shape[side] = size
        hidden = hidden & ((place >= 0) & (place < length)).view(shape)
    return images * ~hidden
