"""What a family is: a config, and a generator from noise and category to images, trained by gradients or fitted."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from models.arrays import Images, Labels
from models.families.augmentation import AugmentConfig
from models.families.constraint import CHANGED, Constraint, check_constraints

ProgressCallback = Callable[[int, int, str], None]
"""Called with the number done, the total, and a note."""


def _as_tuple(value: object) -> object:
    """One pattern alone is a list of one, so that `--set freeze=generator.*` needs no brackets."""
    return (value,) if isinstance(value, str) else value


Patterns = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""Shell patterns over the names of a family's tensors, `NETWORK.NAME`, such as "generator.body.0.*"."""


Decay = Annotated[
    Literal["constant", "cosine"], Field(description="how the step size goes: as it is, or down to 0 along a cosine")
]


class ImageShape(NamedTuple):
    """What a family is built for: square images and the number of categories."""

    channels: int
    size: int
    categories: int


class FamilyConfig(BaseModel):
    """The parameters that every family has; each becomes a flag, a form field and an MLflow parameter."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
    constraints: ClassVar[tuple[Constraint, ...]] = ()
    """The rules over several parameters, those that the base class has first."""

    family: str
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="seed of weights, order, noise and augmentation")

    @model_validator(mode="after")
    def _check_constraints(self, info: ValidationInfo) -> Self:
        check_constraints(self, self.constraints, (info.context or {}).get(CHANGED, ()))
        return self


def needs_init_from(name: str) -> Constraint:
    """The rule that the patterns of the parameter `name` name layers of `init_from`."""
    return Constraint(
        lambda recipe: recipe.init_from is not None or not getattr(recipe, name),
        {
            name: "nothing, unless init_from says what the other layers start from",
            "init_from": f"what to start from, such as SLOT@champion, while {name} names layers: {{{name}}}",
        },
    )


class GradientConfig(FamilyConfig):
    """The parameters that every family trained by gradients shares."""

    constraints: ClassVar[tuple[Constraint, ...]] = (needs_init_from("fresh"), needs_init_from("freeze"))

    epochs: int = Field(default=10, ge=1, le=1000, description="passes over the training split")
    batch_size: int = Field(default=64, ge=2, le=4096, description="images per update")
    optimiser: Literal["adam", "sgd", "soap"] = Field(default="adam", description="update rule")
    learning_rate: float = Field(default=2e-4, gt=0, le=1, description="step size of all networks")
    decay: Decay = "constant"
    beta1: float = Field(default=0.5, ge=0, lt=1, description="Adam's and SOAP's first moment, or SGD's momentum")
    beta2: float = Field(default=0.999, ge=0, lt=1, description="Adam's and SOAP's second moment")
    l1: float = Field(default=0.0, ge=0, le=1, description="weight of the sum of absolute weights in the loss")
    l2: float = Field(default=0.0, ge=0, le=1, description="weight of the sum of squared weights in the loss")
    ema: float = Field(default=0.999, ge=0, lt=1, description="decay of the generator's moving average; 0 is none")
    evaluations_per_epoch: int = Field(default=1, ge=1, le=20, description="how often the best checkpoint is sought")
    precision: Literal["auto", "32-true", "bf16-mixed"] = Field(default="auto", description="auto: measured")
    memory_format: Literal["auto", "contiguous", "channels_last"] = Field(default="auto", description="auto: measured")
    augment: AugmentConfig = Field(default_factory=AugmentConfig, description="changes to the training images")
    init_from: str | None = Field(
        default=None, description="start from SLOT@N, SLOT@champion, models:/SLOT/N or a .safetensors file"
    )
    fresh: Patterns = Field(default=(), description="layers that do not start from init_from, as network.name patterns")
    freeze: Patterns = Field(default=(), description="layers of init_from that stay as they are, as patterns")


@dataclass(frozen=True)
class Parts:
    """What the trainer hands to a family's step: its networks on the device, and how to update one of them."""

    networks: Mapping[str, nn.Module]
    update: Callable[[str, Tensor], None]
    done: float = 0.0
    """The share of all updates done so far."""


class Family(ABC):
    """One algorithm. A subclass is one file that a student can read beside the paper.

    Whatever the algorithm, what it serves is one deterministic function: `generator(latent, category)` takes noise
    N(0, 1) of shape (N, latent) and categories (N,), and returns images (N, C, H, W) in [-1, 1].
    """

    Config: ClassVar[type[FamilyConfig]] = FamilyConfig
    """The parameters; `family: Literal["NAME"] = "NAME"`, the file's name, tells them from other families'."""
    capability: ClassVar[str] = "generate"
    title: ClassVar[str]
    """What it is, in one line for lists."""
    paper: ClassVar[str]
    """Whose work it follows: authors, title, where it appeared."""
    tiny: ClassVar[Mapping[str, object]] = {}
    """What makes it small enough to try in a second where `tests/families.py`, which lowers all sizes, cannot know."""
    likelihood: ClassVar[str | None] = None
    """What `bits_per_dimension` measures, such as "ELBO, discretised logistic"; None when there is no likelihood."""
    discrete: ClassVar[bool] = False
    """True when an image is drawn level by level: the tiniest rounding difference may then change a whole sample."""
    criterion: ClassVar[str | None] = None
    """The figure that `judge` gives; None where what is generated is judged, by its likelihood or its distance."""

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        self.config = config
        self.shape = shape

    @property
    @abstractmethod
    def generator(self) -> nn.Module:
        """The network that is exported and served."""

    @property
    @abstractmethod
    def latent(self) -> int:
        """Numbers of N(0, 1) noise that one image is made from."""

    @property
    @abstractmethod
    def conditional(self) -> bool:
        """True when the category of an image can be asked for."""

    def bits_per_dimension(self, images: Tensor, labels: Tensor) -> Tensor:
        """-log2 p(image | label) / (C H W) of uint8 images (N, C, H, W), shape (N,), for families with a likelihood."""
        raise NotImplementedError(f"{self.config.family} has no likelihood")

    def judge(self, network: nn.Module, images: Images) -> tuple[float, Images]:
        """The criterion of `network` on clean uint8 images (N, H, W, C), lower is better, and what it made of some."""
        raise NotImplementedError(f"{self.config.family} has no criterion of its own")

    def export(self, weights: Path, categories: list[str], path: Path) -> float:
        """Write what is served, with `weights`, as ONNX; returns its largest difference from the trained network."""
        from models.exported.generator import export_generator

        return export_generator(self, weights, categories, path)


class GradientFamily(Family):
    """A family that the one trainer trains."""

    config: GradientConfig
    forward_methods: ClassVar[tuple[str, ...]] = ()
    """Methods of the generator, beside `forward`, that `step` calls through `parts.networks["generator"]`."""
    category_layers: ClassVar[tuple[str, ...]] = ()
    """Patterns of the tensors whose shape depends on the number of categories: see `models.training.initial`."""

    @property
    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """The networks by name; `generator` is the one that is averaged, exported and served."""

    @property
    def generator(self) -> nn.Module:
        return self.networks["generator"]

    @abstractmethod
    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """One update on images (N, C, H, W) in [-1, 1] and labels (N,); returns detached scalar losses by name."""

    def pace(self, done: float) -> float:
        """The learning-rate factor after the share `done` of all updates."""
        return (1 + math.cos(math.pi * done)) / 2 if self.config.decay == "cosine" else 1.0

    @property
    def keeps_from(self) -> float:
        """The share of a training after which the search for the best weights restarts: the objective changes."""
        return 0.0

    @property
    def most_gradient(self) -> float:
        """The norm to which a network's gradients are clipped."""
        return math.inf

    def optimiser(self, name: str) -> Optimizer:
        """The optimiser that the config asks for, for the network called `name`.

        "soap" is Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al. 2024, arXiv:2409.11321, algorithm 3).
        """
        weights = self.networks[name].parameters()
        if self.config.optimiser == "sgd":
            return SGD(weights, self.config.learning_rate, momentum=self.config.beta1)
        betas = self.config.beta1, self.config.beta2
        if self.config.optimiser == "soap":
            from pytorch_optimizer import SOAP  # seconds of importing, for the few who ask for it

            return SOAP(weights, self.config.learning_rate, betas, weight_decay=0.0)
        return Adam(weights, self.config.learning_rate, betas, fused=True)


class FittedFamily(Family):
    """A classical family: fitted to all images at once, without epochs."""

    @abstractmethod
    def fit(self, images: Images, labels: Labels, progress: ProgressCallback) -> dict[str, float]:
        """Fit the generator to images (N, H, W, C) and labels (N,); returns figures of the fit by name."""


def penalise_weights(network: nn.Module, l1: float, l2: float) -> None:
    """Add the gradient of `l1 * sum|w| + l2 * sum w^2` to the gradients; biases and norms (1-d) go free."""
    if not (l1 or l2):
        return
    for weight in network.parameters():
        if weight.ndim > 1 and weight.grad is not None:
            weight.grad.add_(torch.sign(weight.detach()), alpha=l1).add_(weight.detach(), alpha=2 * l2)
