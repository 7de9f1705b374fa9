"""DCGAN: the deep convolutional GAN of Radford, Metz & Chintala (2016), class-conditional on request."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Literal

from torch import Tensor, nn

from models.families.adversarial import AdversarialConfig, AdversarialFamily, Critic
from models.families.family import FamilyConfig, ImageShape

START = 4
"""Side of the smallest feature map, where noise becomes an image and an image a verdict."""


class DCGANConfig(AdversarialConfig):
    """DCGAN's parameters (Radford et al. 2016, section 4); a category can be asked for when `conditional` is on."""

    family: Literal["dcgan"] = "dcgan"


def list_widths(width: int, size: int) -> list[int]:
    """Channels of the feature maps of sides 4, 8, ..., size / 2: `width` at the last, twice as many at each before."""
    return [width * (size // START) // 2**stage for stage in range(1, (size // START).bit_length())]


class Generator(nn.Module):
    """Noise (N, latent) and categories (N,) to images (N, C, H, W) in [-1, 1]; fractionally strided convolutions."""

    def __init__(self, config: AdversarialConfig, shape: ImageShape) -> None:
        super().__init__()
        widths = list_widths(config.width, shape.size)
        self.noise = nn.Linear(config.latent, widths[0] * START**2, bias=False)
        # The noise and a one-hot category, projected: the category's columns of the matrix are a table by category.
        self.category = nn.Embedding(shape.categories, widths[0] * START**2) if config.conditional else None
        layers: list[nn.Module] = [nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)]
        for before, after in pairwise(widths):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(True)]
        self.body = nn.Sequential(*layers)
        self.to_image = nn.Sequential(nn.ConvTranspose2d(widths[-1], shape.channels, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, latent: Tensor, category: Tensor) -> Tensor:
        start = self.noise(latent)
        if self.category is not None:
            start = start + self.category(category)
        images: Tensor = self.to_image(self.body(start.unflatten(1, (-1, START, START))))
        return images


class Discriminator(Critic):
    """Images (N, C, H, W) to logits (N, 1); strided convolutions, no norm on the first.

    A conditional one has a logit for each category (Mescheder et al. 2018).
    """

    def __init__(self, config: AdversarialConfig, shape: ImageShape) -> None:
        super().__init__()
        widths = list_widths(config.width, shape.size)[::-1]
        plain = config.discriminator_norm == "none"
        self.from_image = nn.Sequential(
            nn.Conv2d(shape.channels, widths[0], 4, 2, 1, bias=plain), nn.LeakyReLU(0.2, inplace=True)
        )
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [
                nn.Conv2d(before, after, 4, 2, 1, bias=plain),
                *build_norm(config, after),
                nn.LeakyReLU(0.2, True),
            ]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(widths[-1], shape.categories if config.conditional else 1, START, bias=False)

    def judge(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(self.from_image(images))).flatten(1)
        return logits


def build_norm(config: AdversarialConfig, channels: int) -> list[nn.Module]:
    """The normalisation that the config asks for, over `channels` feature maps; none is no layer."""
    if config.discriminator_norm == "none":
        return []
    return [nn.BatchNorm2d(channels) if config.discriminator_norm == "batch" else nn.GroupNorm(1, channels)]


def initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), batch-norm scales from N(1, 0.02) (section 4 of the paper)."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class DCGAN(AdversarialFamily):
    """The non-saturating game of Goodfellow et al. (2014) between the two networks above."""

    Config: ClassVar[type[FamilyConfig]] = DCGANConfig
    title: ClassVar[str] = "Deep convolutional GAN (Radford et al. 2016)"
    paper: ClassVar[str] = (
        "Radford, Metz & Chintala: Unsupervised Representation Learning with Deep Convolutional Generative "
        "Adversarial Networks. ICLR 2016, arXiv:1511.06434"
    )
    category_layers: ClassVar[tuple[str, ...]] = ("generator.category.*", "discriminator.head.*")

    def build(self) -> tuple[nn.Module, nn.Module]:
        networks = Generator(self.config, self.shape), Discriminator(self.config, self.shape)
        return networks[0].apply(initialise), networks[1].apply(initialise)
