"""DCGAN: the deep convolutional GAN of Radford, Metz & Chintala (2016) at 32x32, class-conditional on request."""

from __future__ import annotations

from typing import ClassVar, Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.errors import InputError
from models.family import Family, FamilyConfig, ImageShape, Parts

SIZE = 32


class DCGANConfig(FamilyConfig):
    """DCGAN's parameters (Radford et al. 2016, section 4); a category can be asked for when `conditional` is on."""

    family: Literal["dcgan"] = "dcgan"
    latent: int = Field(default=100, ge=1, le=1024, description="numbers of noise per image")
    width: int = Field(default=64, ge=4, le=512, description="channels of the outermost hidden layer (256-128-64)")
    conditional: bool = Field(default=False, description="ask for a category when generating")


class Generator(nn.Module):
    """Noise (N, latent) and categories (N,) to images (N, C, 32, 32) in [-1, 1]; fractionally strided convolutions."""

    def __init__(self, config: DCGANConfig, shape: ImageShape) -> None:
        super().__init__()
        self.categories = shape.categories if config.conditional else 0
        width = config.width
        self.body = nn.Sequential(
            nn.ConvTranspose2d(config.latent + self.categories, 4 * width, 4, 1, 0, bias=False),  # 4x4
            nn.BatchNorm2d(4 * width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False),  # 8x8
            nn.BatchNorm2d(2 * width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),  # 16x16
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(width, shape.channels, 4, 2, 1, bias=False),  # 32x32
            nn.Tanh(),
        )

    def forward(self, latent: Tensor, category: Tensor) -> Tensor:
        if self.categories:
            latent = torch.cat((latent, functional.one_hot(category, self.categories).to(latent.dtype)), 1)
        images: Tensor = self.body(latent[:, :, None, None])
        return images


class Discriminator(nn.Module):
    """Images (N, C, 32, 32) and categories (N,) to logits (N,); strided convolutions, no batch norm on the first.

    A conditional one has a logit for each category and gives that of the category asked for (Mescheder et al. 2018).
    """

    def __init__(self, config: DCGANConfig, shape: ImageShape) -> None:
        super().__init__()
        width = config.width
        self.conditional = config.conditional
        self.body = nn.Sequential(
            nn.Conv2d(shape.channels, width, 4, 2, 1, bias=False),  # 16x16
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),  # 8x8
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False),  # 4x4
            nn.BatchNorm2d(4 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(4 * width, shape.categories if config.conditional else 1, 4, 1, 0, bias=False),  # 1x1
        )

    def forward(self, images: Tensor, category: Tensor) -> Tensor:
        logits: Tensor = self.body(images).flatten(1)
        return (logits.gather(1, category[:, None]) if self.conditional else logits).flatten()


def initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), batch-norm scales from N(1, 0.02) (section 4 of the paper)."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class DCGAN(Family):
    """The non-saturating game of Goodfellow et al. (2014) between the two networks above."""

    Config: ClassVar[type[FamilyConfig]] = DCGANConfig
    capability: ClassVar[str] = "generate"
    title: ClassVar[str] = "Deep convolutional GAN (Radford et al. 2016)"

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        super().__init__(config, shape)
        if shape.size != SIZE:
            raise InputError("prepare.size", shape.size, f"{SIZE} for family dcgan")
        self._config = cast(DCGANConfig, config)
        self.generator = Generator(self._config, shape).apply(initialise)
        self.discriminator = Discriminator(self._config, shape).apply(initialise)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    @property
    def latent(self) -> int:
        return self._config.latent

    @property
    def conditional(self) -> bool:
        return self._config.conditional

    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        generator, discriminator = parts.networks["generator"], parts.networks["discriminator"]
        # Drawn on the CPU, whose generator's state is in the checkpoint, on every device.
        fake = generator(torch.randn(len(images), self.latent).to(images.device), labels)

        # -log D(x) - log(1 - D(G(z)))
        real_logits, fake_logits = discriminator(images, labels), discriminator(fake.detach(), labels)
        discriminator_loss = functional.softplus(-real_logits).mean() + functional.softplus(fake_logits).mean()
        parts.update("discriminator", discriminator_loss)

        # -log D(G(z)), the non-saturating form
        generator_loss = functional.softplus(-discriminator(fake, labels)).mean()
        parts.update("generator", generator_loss)
        losses = {"loss_discriminator": discriminator_loss, "loss_generator": generator_loss}
        return {name: loss.detach() for name, loss in losses.items()}
