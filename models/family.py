"""What a family is: a config, its networks, one training step, and the generator that is exported."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from models.augmentation import AugmentConfig


class ImageShape(NamedTuple):
    """What a family is built for: square images and the number of categories."""

    channels: int
    size: int
    categories: int


class FamilyConfig(BaseModel):
    """The parameters that every gradient family shares; each becomes a flag, a form field and an MLflow parameter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    epochs: int = Field(default=10, ge=1, le=1000, description="passes over the training split")
    batch_size: int = Field(default=64, ge=2, le=4096, description="images per update")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="seed of weights, order, noise and augmentation")
    optimiser: Literal["adam", "sgd"] = Field(default="adam", description="update rule")
    learning_rate: float = Field(default=2e-4, gt=0, le=1, description="step size of both networks")
    beta1: float = Field(default=0.5, ge=0, lt=1, description="Adam's first moment, or SGD's momentum")
    beta2: float = Field(default=0.999, ge=0, lt=1, description="Adam's second moment")
    l1: float = Field(default=0.0, ge=0, le=1, description="weight of the sum of absolute weights in the loss")
    l2: float = Field(default=0.0, ge=0, le=1, description="weight of the sum of squared weights in the loss")
    ema: float = Field(default=0.999, ge=0, lt=1, description="decay of the generator's moving average; 0 is none")
    evaluations_per_epoch: int = Field(default=1, ge=1, le=20, description="how often the best checkpoint is sought")
    precision: Literal["auto", "32-true", "bf16-mixed"] = Field(default="auto", description="auto: measured")
    memory_format: Literal["auto", "contiguous", "channels_last"] = Field(default="auto", description="auto: measured")
    augment: AugmentConfig = Field(default_factory=AugmentConfig, description="changes to the training images")


@dataclass(frozen=True)
class Parts:
    """What the trainer hands to a family's step: its networks on the device, and how to update one of them."""

    networks: Mapping[str, nn.Module]
    update: Callable[[str, Tensor], None]


class Family(ABC):
    """One algorithm. A subclass is one file that a student can read beside the paper."""

    Config: ClassVar[type[FamilyConfig]]
    capability: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        self.config = config
        self.shape = shape

    @property
    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """The networks by name; `generator` is the one that is averaged, exported and served."""

    @property
    @abstractmethod
    def latent(self) -> int:
        """Numbers of N(0, 1) noise that one image is made from."""

    @property
    @abstractmethod
    def conditional(self) -> bool:
        """True when the category of an image can be asked for."""

    @abstractmethod
    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """One update on images (N, C, H, W) in [-1, 1] and labels (N,); returns detached scalar losses by name."""

    def optimiser(self, network: nn.Module) -> Optimizer:
        """The update rule that the config asks for, over one network."""
        if self.config.optimiser == "sgd":
            return SGD(network.parameters(), self.config.learning_rate, momentum=self.config.beta1)
        return Adam(network.parameters(), self.config.learning_rate, (self.config.beta1, self.config.beta2))


def penalise_weights(network: nn.Module, l1: float, l2: float) -> None:
    """Add the gradient of `l1 * sum|w| + l2 * sum w^2` to the gradients; biases and norms (1-d) go free."""
    if not (l1 or l2):
        return
    for weight in network.parameters():
        if weight.ndim > 1 and weight.grad is not None:
            weight.grad.add_(torch.sign(weight.detach()), alpha=l1).add_(weight.detach(), alpha=2 * l2)
