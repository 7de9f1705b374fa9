"""What all generative adversarial networks share: their parameters, and the one step of the game."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from models.errors import InputError
from models.families.constraint import Constraint
from models.families.diffaugment import DiffAugmentConfig, augment
from models.families.family import FamilyConfig, GradientConfig, GradientFamily, ImageShape, Parts
from models.losses.games import GAMES, Game, LossName
from models.losses.regularisers import (
    clip_weights,
    mix,
    normalise_spectrum,
    penalise_real_slopes,
    penalise_slopes,
    square_slopes,
)

SIZES = (32, 64)

# A family gives a parameter another default by `name: Type = value`: bounds and description stay.
Loss = Annotated[LossName, Field(description="the game's pair of losses")]
Norm = Annotated[Literal["batch", "layer", "none"], Field(description="normalisation in the discriminator")]
Rate = Annotated[
    float | None, Field(gt=0, le=1, description="step size of the discriminator; none: as the generator's")
]
Updates = Annotated[
    int, Field(ge=1, le=20, description="discriminator's updates per generator's; they share the batch")
]
Penalty = Annotated[float, Field(ge=0, le=1000, description="weight of the gradient penalty (slope 1); 0 is off")]
Clip = Annotated[float, Field(ge=0, le=1, description="bound of the discriminator's weights; 0 is none")]
Conditional = Annotated[bool, Field(description="ask for a category when generating")]
Spectral = Annotated[bool, Field(description="spectral normalisation of the discriminator")]
Auxiliary = Annotated[
    float, Field(ge=0, le=10, description="weight of telling the categories apart, for both networks; 0 is off")
]


def needs_images_alone(name: str) -> Constraint:
    """The rule that the penalty `name` on gradients by image needs a discriminator without batch norm."""
    why = "batch norm mixes the images' gradients"
    return Constraint(
        lambda recipe: not getattr(recipe, name) or recipe.discriminator_norm != "batch",
        {
            name: f"0 unless discriminator_norm is layer or none: {why}",
            "discriminator_norm": f"layer or none while {name} is {{{name}}}: {why}",
        },
    )


SHARED_BATCH = Constraint(
    lambda recipe: recipe.batch_size >= 2 * recipe.critic_updates,
    {
        "critic_updates": "at most half of batch_size ({batch_size}): every update takes its share of the batch",
        "batch_size": "at least twice critic_updates ({critic_updates}): every update takes its share of the batch",
    },
)
CATEGORIES_ASKED_FOR = Constraint(
    lambda recipe: recipe.conditional or not recipe.auxiliary,
    {
        "auxiliary": "0 unless conditional is on: there are no categories to tell apart",
        "conditional": "true while auxiliary is {auxiliary}: it tells the categories apart",
    },
)


class AdversarialConfig(GradientConfig):
    """The parameters that all adversarial families share; any loss goes with any regulariser."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        *GradientConfig.constraints,
        SHARED_BATCH,
        needs_images_alone("r1"),
        needs_images_alone("gradient_penalty"),
        CATEGORIES_ASKED_FOR,
    )

    latent: int = Field(default=100, ge=1, le=1024, description="numbers of noise per image")
    width: int = Field(default=64, ge=4, le=512, description="channels of the outermost hidden layer, doubled inwards")
    conditional: Conditional = False
    loss: Loss = "non-saturating"
    critic_updates: Updates = 1
    discriminator_learning_rate: Rate = None
    discriminator_norm: Norm = "batch"
    spectral_norm: Spectral = False
    r1: float = Field(default=0.0, ge=0, le=1000, description="weight of R1, real images' squared gradients; 0 is off")
    gradient_penalty: Penalty = 0.0
    weight_clip: Clip = 0.0
    auxiliary: Auxiliary = 0.0
    diff_augment: DiffAugmentConfig = Field(
        default_factory=DiffAugmentConfig, description="changes to what the discriminator sees"
    )


class Logits(NamedTuple):
    """A discriminator's output for N images; each has shape (N,)."""

    logits: Tensor
    """Of the category asked for: above 0 is real."""
    surprise: Tensor
    """-log p(category | image), the categories' logits taken for those of a classifier (Chen et al. 2021, eq. 9)."""
    squares: Tensor | None = None
    """Squared gradients of the logits by image."""


class Critic(nn.Module, ABC):
    """A discriminator: images (N, C, H, W) in [-1, 1] and categories (N,) to a verdict."""

    @abstractmethod
    def judge(self, images: Tensor) -> Tensor:
        """The logits for each category, (N, categories), or (N, 1) where the category is not asked for."""

    def forward(self, images: Tensor, category: Tensor, slopes: bool = False) -> Logits:
        """The verdict; with `slopes` also the squared gradients, in the same number format."""
        if slopes:
            images = images.detach().requires_grad_()
        every = self.judge(images)
        asked = category[:, None] if every.shape[1] > 1 else torch.zeros_like(category)[:, None]
        logits, surprise = every.gather(1, asked)[:, 0], -functional.log_softmax(every, 1).gather(1, asked)[:, 0]
        return Logits(logits, surprise, square_slopes(logits, images) if slopes else None)


class AdversarialFamily(GradientFamily):
    """A generator and a discriminator that play the game described by the config."""

    Config: ClassVar[type[FamilyConfig]] = AdversarialConfig
    games: ClassVar[Mapping[str, Game]] = GAMES
    """What the parameter `loss` chooses from; a family with losses of its own has them here."""
    config: AdversarialConfig

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        """Build both networks for images of `shape`.

        Raises:
            InputError: the networks do not support images of this size.
        """
        super().__init__(config, shape)
        if shape.size not in SIZES:
            allowed = " or ".join(str(size) for size in SIZES)
            raise InputError("prepare.size", shape.size, f"{allowed} for family {config.family}")
        self.game = self.games[self.config.loss]
        self._generator, self.discriminator = self.build()
        if self.config.spectral_norm:
            normalise_spectrum(self.discriminator)

    @abstractmethod
    def build(self) -> tuple[nn.Module, nn.Module]:
        """Generator (latent, category) -> images, and discriminator (images, category) -> logits (N,)."""

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self._generator, "discriminator": self.discriminator}

    @property
    def latent(self) -> int:
        return self.config.latent

    @property
    def conditional(self) -> bool:
        return self.config.conditional

    def optimiser(self, name: str) -> Optimizer:
        """The config's update rule; the discriminator may have its own learning rate (Heusel et al. 2017)."""
        rule, rate = super().optimiser(name), self.config.discriminator_learning_rate
        if name == "discriminator" and rate is not None:
            for group in rule.param_groups:
                group["lr"] = rate
        return rule

    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Update the discriminator on each share of the batch, then the generator on the last share's noise."""
        generator, discriminator = parts.networks["generator"], parts.networks["discriminator"]
        shares = self.config.critic_updates
        for real, categories in zip(images.tensor_split(shares), labels.tensor_split(shares), strict=True):
            # Drawn on the CPU, whose generator's state is in the checkpoint, on every device.
            fake = generator(torch.randn(len(real), self.latent).to(real.device), categories)
            discriminator_loss, on_real = self._judge(discriminator, real, fake.detach(), categories)
            parts.update("discriminator", discriminator_loss)
            if self.config.weight_clip:
                clip_weights(self.discriminator, self.config.weight_clip)
        seen = augment(fake, self.config.diff_augment)
        verdict = discriminator(seen, categories)
        if self.game.relativistic:
            with torch.no_grad():
                on_real = discriminator(augment(real, self.config.diff_augment), categories).logits
        generator_loss = self.game.generator(on_real, verdict.logits) + self.config.auxiliary * verdict.surprise.mean()
        parts.update("generator", generator_loss)
        losses = {"loss_discriminator": discriminator_loss, "loss_generator": generator_loss}
        return {name: loss.detach() for name, loss in losses.items()}

    def _judge(self, discriminator: nn.Module, real: Tensor, fake: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The discriminator's loss with its penalties, and the logits of the real images."""
        config = self.config
        real, fake = augment(real, config.diff_augment), augment(fake, config.diff_augment)
        on_real, on_fake = self._compare(discriminator, real, fake, labels)
        loss = self.game.discriminator(on_real.logits, on_fake.logits) + config.auxiliary * on_real.surprise.mean()
        if on_real.squares is not None:
            loss = loss + config.r1 * penalise_real_slopes(on_real.squares)
        if config.gradient_penalty:
            squares = discriminator(mix(real, fake), labels, slopes=True).squares
            loss = loss + config.gradient_penalty * penalise_slopes(squares)
        return loss, on_real.logits.detach()

    def _compare(self, discriminator: nn.Module, real: Tensor, fake: Tensor, labels: Tensor) -> tuple[Logits, Logits]:
        """The verdicts on real and on generated images, in one pass where nothing speaks against it."""
        if self.config.r1:
            return discriminator(real, labels, slopes=True), discriminator(fake, labels)
        if self.config.discriminator_norm == "batch":  # real and generated images each have their own statistics
            return discriminator(real, labels), discriminator(fake, labels)
        both = discriminator(torch.cat((real, fake)), labels.repeat(2))
        halves = zip(both.logits.chunk(2), both.surprise.chunk(2), strict=True)
        first, second = (Logits(*half) for half in halves)
        return first, second
