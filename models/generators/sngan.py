"""SNGAN: spectral normalisation, hinge loss, projection of the category (Miyato et al. 2018, Miyato & Koyama 2018)."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.families.adversarial import AdversarialConfig, AdversarialFamily, Conditional, Critic, Loss, Norm, Spectral
from models.families.family import FamilyConfig, ImageShape
from models.generators.dcgan import START, list_widths


class SNGANConfig(AdversarialConfig):
    """SNGAN's parameters: setting C of table 1 in Miyato et al. 2018 (one update each), at a larger learning rate."""

    family: Literal["sngan"] = "sngan"
    learning_rate: float = Field(default=5e-4, gt=0, le=1, description="step size of all networks")
    conditional: Conditional = True
    loss: Loss = "hinge"
    discriminator_norm: Norm = "none"
    spectral_norm: Spectral = True


class CategoryNorm(nn.Module):
    """Batch norm whose scale and shift are the category's own (de Vries et al. 2017, section 3.2).

    Takes feature maps (N, C, H, W) and categories (N,).
    """

    def __init__(self, channels: int, categories: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale, self.shift = nn.Embedding(categories, channels), nn.Embedding(categories, channels)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, maps: Tensor, category: Tensor) -> Tensor:
        scale, shift = self.scale(category)[:, :, None, None], self.shift(category)[:, :, None, None]
        normalised: Tensor = self.norm(maps) * scale + shift
        return normalised


class Generator(nn.Module):
    """Noise (N, latent) and categories (N,) to images (N, C, H, W) in [-1, 1]: doubled in size by each convolution.

    The category enters by the norms and, as in DCGAN, beside the noise: by the norms alone it is learned far later.
    A generator that is not conditional has the same norms with one category.
    """

    def __init__(self, config: AdversarialConfig, shape: ImageShape) -> None:
        super().__init__()
        widths = list_widths(config.width, shape.size)
        categories = shape.categories if config.conditional else 1
        self.noise = nn.Linear(config.latent, widths[0] * START**2)
        self.category = nn.Embedding(categories, widths[0] * START**2) if config.conditional else None
        if self.category is not None:
            nn.init.normal_(self.category.weight, 0.0, 0.1)
        self.norms = nn.ModuleList(CategoryNorm(width, categories) for width in widths)
        self.body = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False) for before, after in pairwise(widths)
        )
        self.to_image = nn.ConvTranspose2d(widths[-1], shape.channels, 4, 2, 1)

    def forward(self, latent: Tensor, category: Tensor) -> Tensor:
        start = self.noise(latent)
        if self.category is None:
            category = category * 0
        else:
            start = start + self.category(category)
        maps = start.unflatten(1, (-1, START, START))
        for norm, enlarge in zip(self.norms, (*self.body, self.to_image), strict=True):
            maps = enlarge(functional.relu(norm(maps, category)))
        return torch.tanh(maps)


class Discriminator(Critic):
    """Images (N, C, H, W) to logits for each category (N, K): features, and their projection on the categories.

    f(x, y) = psi(phi(x)) + y^T V phi(x) (Miyato & Koyama 2018, eq. 3).
    """

    def __init__(self, config: AdversarialConfig, shape: ImageShape) -> None:
        super().__init__()
        widths = list_widths(config.width, shape.size)[::-1]
        self.from_image = nn.Sequential(nn.Conv2d(shape.channels, widths[0], 4, 2, 1), nn.LeakyReLU(0.1, inplace=True))
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.1, inplace=True)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1] * START**2, 1, bias=False)
        self.category = nn.Embedding(shape.categories, widths[-1] * START**2) if config.conditional else None

    def judge(self, images: Tensor) -> Tensor:
        features = self.body(self.from_image(images)).flatten(1)
        logits: Tensor = self.head(features)
        return logits if self.category is None else logits + functional.linear(features, self.category.weight)


class SNGAN(AdversarialFamily):
    """The hinge game between the two networks above, the discriminator's layers 1-Lipschitz by spectral norm."""

    Config: ClassVar[type[FamilyConfig]] = SNGANConfig
    title: ClassVar[str] = "Spectrally normalised GAN with projection (Miyato et al. 2018)"
    paper: ClassVar[str] = (
        "Miyato et al.: Spectral Normalization for Generative Adversarial Networks. ICLR 2018, arXiv:1802.05957; "
        "Miyato & Koyama: cGANs with Projection Discriminator. ICLR 2018, arXiv:1802.05637"
    )
    category_layers: ClassVar[tuple[str, ...]] = (
        "generator.category.*",
        "generator.norms.*",
        "discriminator.category.*",
    )

    def build(self) -> tuple[nn.Module, nn.Module]:
        return Generator(self.config, self.shape), Discriminator(self.config, self.shape)
