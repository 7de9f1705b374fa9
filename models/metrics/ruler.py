"""The ruler: a small classifier whose 128 penultimate features measure how far generated images are from real ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from models.exported.onnx_file import write_onnx
from models.families.augmentation import AugmentConfig, build_augmentation
from models.pixels import to_planes, to_signed
from models.training.speed import has_fast_bf16

FEATURES = 128
SIDE = 32  # of the images that the convolutions of the body see; larger ones are halved first


class RulerConfig(BaseModel):
    """How the ruler is trained: Adam on a one-cycle schedule (Smith & Topin 2018), flips, shifts, colour changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=8, ge=1, le=100, description="passes over the training split")
    updates: int = Field(
        default=600, ge=1, le=100_000, description="at least so many: small catalogues get more epochs"
    )
    batch_size: int = Field(default=128, ge=8, le=4096, description="images per update, at most all there are")
    learning_rate: float = Field(default=3e-3, gt=0, le=1, description="peak of the one-cycle schedule")
    l2: float = Field(default=5e-4, ge=0, le=1, description="weight decay")
    flip: float = Field(default=0.5, ge=0, le=1, description="chance of a horizontal mirror")
    crop: int = Field(default=2, ge=0, le=16, description="shift by up to so many pixels of each 32")
    colour: float = Field(default=0.2, ge=0, le=1, description="change of brightness, contrast, hue of colour images")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="seed of weights, order and augmentation")


class Ruler(nn.Module):
    """Five 3x3 convolutions with batch norm and three poolings, then 128 features, then one logit per category.

    Takes images (N, C, H, W) in [-1, 1] with equal H and W of 8 or more. Images larger than 32 pass one more
    convolution and pooling for each halving, which sees more of the picture at a quarter of the cost.
    """

    def __init__(self, channels: int, size: int, categories: int) -> None:
        super().__init__()
        self.channels = channels
        layers: list[nn.Module] = []
        width = channels
        while size > SIDE:
            layers += [*convolve(width, 32), nn.MaxPool2d(2)]
            width, size = 32, size // 2
        for after, halves in ((32, False), (32, True), (64, False), (64, True), (64, True)):
            layers += [*convolve(width, after), *([nn.MaxPool2d(2)] if halves else [])]
            width = after
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.embed = nn.Linear(width * (size // 8) ** 2, FEATURES)
        self.head = nn.Linear(FEATURES, categories)

    def features(self, images: Tensor) -> Tensor:
        """Penultimate activations, (N, 128), not negative."""
        return functional.relu(self.embed(self.body(images)))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, categories)."""
        logits: Tensor = self.head(functional.dropout(self.features(images), 0.25, self.training))
        return logits


def convolve(before: int, after: int) -> list[nn.Module]:
    """A 3x3 convolution from `before` to `after` channels, batch norm and ReLU."""
    return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


def augmentation(config: RulerConfig, channels: int, size: int) -> AugmentConfig:
    """The augmentation for training images of `channels` and `size`: shifts grow with the size, grey has no colour."""
    shift = min(config.crop * max(size, SIDE) // SIDE, 64)
    if channels == 1:
        return AugmentConfig(flip=config.flip, crop=shift)
    colour = config.colour
    return AugmentConfig(
        flip=config.flip, crop=shift, brightness=colour, contrast=colour, saturation=colour, hue=colour / 2
    )


def train_ruler(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    categories: int,
    config: RulerConfig,
    progress: Callable[[int, int, str], None],
) -> Ruler:
    """Train a ruler on uint8 images (N, H, W, C) and labels (N,).

    `progress(done, total, note)` is called after every batch.
    """
    torch.manual_seed(config.seed)
    ruler = Ruler(images.shape[3], images.shape[1], categories).to(memory_format=torch.channels_last)
    size = min(config.batch_size, len(images))
    steps = max(config.epochs * (len(images) // size), config.updates)
    optimiser = torch.optim.AdamW(ruler.parameters(), weight_decay=config.l2)
    # One cycle needs two updates to have a peak between its ends.
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=max(steps, 2))
    augment = build_augmentation(augmentation(config, images.shape[3], images.shape[1]))
    for done, rows in enumerate(itertools.islice(batches(len(images), size, config.seed), steps), start=1):
        inputs = to_signed(augment(to_planes(images[rows])))
        with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bf16()):
            logits = ruler(inputs)
        loss = functional.cross_entropy(logits.float(), torch.from_numpy(labels[rows]), label_smoothing=0.05)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        progress(done, steps, f"loss {loss.item():.3f}")
    return ruler.eval()


def batches(count: int, size: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of one batch after the other, without end; every pass over `count` images has a new order."""
    order = np.random.default_rng(seed)
    while True:
        rows = order.permutation(count)
        for start in range(0, count - size + 1, size):
            yield np.sort(rows[start : start + size])


def export_ruler(ruler: Ruler, size: int, categories: list[str], path: Path) -> None:
    """Write the ruler as ONNX: `image` (N, C, H, W) in [-1, 1] to `features` (N, 128) and `logits` (N, categories)."""
    write_onnx(
        Measuring(ruler).eval(),
        {"image": torch.zeros(2, ruler.channels, size, size)},
        ["features", "logits"],
        {"categories": categories, "size": size},
        path,
    )


class Measuring(nn.Module):
    """The ruler with both of its outputs."""

    def __init__(self, ruler: Ruler) -> None:
        super().__init__()
        self.ruler = ruler

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits of images (N, C, H, W) in [-1, 1]."""
        features = self.ruler.features(image)
        return features, self.ruler.head(features)
