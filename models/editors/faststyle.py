"""Fast style transfer: one network for one style, trained by the losses of the optimisation (Johnson et al. 2016)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.errors import InputError
from models.families.family import FamilyConfig, ImageShape, Parts
from models.families.restoration import Degraded, RestorationConfig, RestorationFamily, from_bytes, from_signed
from models.losses.perceptual import load_features
from models.losses.style import StyleLoss, roughness

MULTIPLE = 4
"""The sides that the network takes are multiples of this."""
FINE = 5
"""Side of the kernels that see and make pixels."""


class FastStyleConfig(RestorationConfig):
    """The style, the network's size and what the terms of the loss count."""

    family: Literal["faststyle"] = "faststyle"
    ema: Annotated[float, Field(ge=0, lt=1, description="decay of the generator's moving average; 0 is none")] = 0.99
    style: str = Field(default="", description="the picture whose style is learned, a file; it names the slot")
    style_size: int = Field(default=256, ge=32, le=1024, description="longer side at which the style is seen, pixels")
    width: int = Field(default=16, ge=2, le=64, description="channels at the full size; at a quarter four times that")
    blocks: int = Field(default=4, ge=1, le=16, description="residual blocks at a quarter of the size")
    content: float = Field(default=3.0, ge=0, le=100, description="what the content counts, the style being 1")
    smooth: float = Field(default=20.0, ge=0, le=1000, description="what differences between neighbours count")


class Layer(nn.Module):
    """A convolution and instance normalisation (Ulyanov et al. 2017, eq. 4), after enlarging, then a ReLU."""

    def __init__(
        self, few: int, many: int, side: int = 3, stride: int = 1, enlarge: int = 1, bent: bool = True
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(few, many, side, stride, side // 2, padding_mode="reflect", bias=False)
        self.normalisation = nn.InstanceNorm2d(many, affine=True)
        self.enlarge, self.bent = enlarge, bent

    def forward(self, values: Tensor) -> Tensor:
        if self.enlarge > 1:
            values = functional.interpolate(values, scale_factor=float(self.enlarge), mode="nearest")
        made: Tensor = self.normalisation(self.convolution(values))
        return functional.relu(made) if self.bent else made


class Block(nn.Module):
    """Two layers that add to what comes in (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(Layer(channels, channels), Layer(channels, channels, bent=False))

    def forward(self, values: Tensor) -> Tensor:
        made: Tensor = self.layers(values)
        return values + made


class Generator(nn.Module):
    """Images (N, 3, H, W) in [0, 1] to images of the same size in the style; the sides are multiples of 4."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Layer(3, width, FINE),
            Layer(width, 2 * width, stride=2),
            Layer(2 * width, 4 * width, stride=2),
            *(Block(4 * width) for _ in range(blocks)),
            Layer(4 * width, 2 * width, enlarge=2),
            Layer(2 * width, width, enlarge=2),
            nn.Conv2d(width, 3, FINE, padding=FINE // 2, padding_mode="reflect"),
        )

    def forward(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self.layers(image * 2 - 1))


class FastStyle(RestorationFamily):
    """Nothing is degraded and restored here: the result should be near the style and near the content at once.

    Its figures in dB are -10 log10 of the loss that it is trained by, so that they read as PSNR does.
    """

    Config: ClassVar[type[FamilyConfig]] = FastStyleConfig
    title: ClassVar[str] = "fast style: a network paints in one learned style (Johnson et al. 2016)"
    paper: ClassVar[str] = (
        "Johnson, Alahi & Fei-Fei: Perceptual Losses for Real-Time Style Transfer and Super-Resolution. ECCV "
        "2016, arXiv:1603.08155"
    )
    capability: ClassVar[str] = "stylize"
    criterion: ClassVar[str] = "validation_style_and_content_db"
    degradation: ClassVar[str] = "nothing"
    baseline_name: ClassVar[str] = "the photograph as it is"
    measured: ClassVar[str] = "loss of style, content and smoothness as -10 log10"
    config: FastStyleConfig

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        super().__init__(config, shape)
        self._generator = Generator(self.config.width, self.config.blocks)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self._generator}

    @property
    def facts(self) -> dict[str, Any]:
        """The style's file and digest, and what users of the network must know."""
        return {
            "style": self.config.style,
            "style_sha256": digest_style(self.config.style),
            "style_size": self.config.style_size,
            "multiple": MULTIPLE,
        }

    @cached_property
    def loss(self) -> StyleLoss:
        """Over EfficientNet-Lite0, so that a training does not depend on what its machine could fetch."""
        with torch.inference_mode(False):  # gradients pass through it later, even if evaluation is the first to need it
            return StyleLoss(load_features("lite0"), read_style(self.config.style, self.config.style_size))

    def degrade(self, clean: Tensor) -> Degraded:
        """The images (N, C, H, W) themselves, as colour images; C is 1 or 3."""
        images = clean.expand(-1, 3, -1, -1)
        return Degraded({"image": images}, images)

    def baseline(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The images as they are."""
        return inputs["image"]

    def sample_inputs(self, height: int, width: int) -> dict[str, Tensor]:
        return {"image": torch.rand(2, 3, *(-(-side // MULTIPLE) * MULTIPLE for side in (height, width)))}

    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """One update by the three terms of the loss."""
        content = self.degrade(from_signed(images)).target
        terms = self.weigh(parts.networks["generator"](content).float(), content)
        parts.update("generator", sum(terms.values(), torch.zeros(())).mean())
        losses = {f"loss_{name}": term.detach().mean() for name, term in terms.items()}
        return {"loss_generator": sum(losses.values(), torch.zeros(())), **losses}

    def weigh(self, made: Tensor, content: Tensor) -> dict[str, Tensor]:
        """The terms of the loss of images (N, 3, H, W) made of `content`, each (N,)."""
        loss = self.loss.to(made.device)
        found = loss(made, loss.content(content))
        return {
            "style": found.style,
            "content": self.config.content * found.content,
            "smooth": self.config.smooth * roughness(made),
        }

    def measure(self, made: Tensor, target: Tensor) -> Tensor:
        """-10 log10 of the loss of each image made (N, 3, H, W), shape (N,)."""
        return -10 * torch.log10(torch.stack(list(self.weigh(made, target).values())).sum(0))


def read_style(path: str, size: int) -> Tensor:
    """The style picture (1, 3, h, w) in [0, 1], its longer side `size` at most.

    Raises:
        InputError: there is no such file, or it is not a picture.
    """
    try:
        with Image.open(path) as image:
            image.thumbnail((size, size), Image.Resampling.LANCZOS)
            return from_bytes(np.array(image.convert("RGB"))[None])
    except OSError as error:
        raise InputError("style", path, "the file of a picture") from error


def digest_style(path: str) -> str:
    """The SHA-256 of the style picture's file.

    Raises:
        InputError: there is no such file.
    """
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError("style", path, "the file of a picture") from error
