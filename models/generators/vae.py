"""VAE: the variational autoencoder of Kingma & Welling (2014), convolutional and class-conditional on request."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, NamedTuple, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.distributions.likelihoods import bits_per_dimension, log_probability
from models.errors import InputError
from models.families.family import FamilyConfig, GradientConfig, GradientFamily, ImageShape, Parts
from models.pixels import to_signed

SIZES = (32, 64)


class VAEConfig(GradientConfig):
    """The VAE's parameters; the likelihood of a pixel is a discretised logistic with a predicted scale."""

    family: Literal["vae"] = "vae"
    latent: int = Field(default=64, ge=1, le=1024, description="numbers of noise per image")
    width: int = Field(default=48, ge=4, le=512, description="channels of the outermost hidden layer")
    beta: float = Field(default=1.0, ge=0, le=100, description="weight of the KL term (Higgins et al. 2017); 1 is ELBO")
    conditional: bool = Field(default=False, description="ask for a category when generating")


class Bound(NamedTuple):
    """The two parts of the negative ELBO of each image, both (N,) and in bits per dimension."""

    reconstruction: Tensor
    kl: Tensor


class Autoencoder(nn.Module):
    """Encoder q(z | x, y) and decoder p(x | z, y); as a function, the decoder's mean image (N, C, H, W) in [-1, 1]."""

    def __init__(self, config: VAEConfig, shape: ImageShape) -> None:
        super().__init__()
        self.categories = shape.categories if config.conditional else 0
        self.dimensions = shape.channels * shape.size**2
        # From the outermost hidden layer to the one of 4x4.
        widths = [min(4, 2**level) * config.width for level in range(int(math.log2(shape.size // 4)))]
        inner = widths[-1] * 4 * 4
        self.encoder = nn.Sequential(
            *(
                layer
                for narrow, wide in zip([shape.channels, *widths], widths, strict=False)
                for layer in down(narrow, wide)
            ),
            nn.Flatten(),
        )
        self.posterior = nn.Linear(inner + self.categories, 2 * config.latent)
        self.start = nn.Linear(config.latent + self.categories, inner)
        outwards = [*reversed(widths), widths[0]]
        self.decoder = nn.Sequential(
            nn.Unflatten(1, (widths[-1], 4, 4)),
            nn.ReLU(),
            *(layer for wide, narrow in zip(outwards, outwards[1:], strict=False) for layer in up(wide, narrow)),
            nn.Conv2d(widths[0], 2 * shape.channels, 3, 1, 1),
        )

    def forward(self, latent: Tensor, category: Tensor) -> Tensor:
        return self.decode(latent, category)[0].clamp(-1, 1)

    def decode(self, latent: Tensor, category: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log scales of the logistics, each (N, C, H, W)."""
        means, log_scales = self.decoder(self.start(self._with_category(latent, category))).float().chunk(2, 1)
        return means, log_scales

    def encode(self, images: Tensor, category: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the posterior, each (N, latent)."""
        mean, log_variance = self.posterior(self._with_category(self.encoder(images), category)).float().chunk(2, 1)
        return mean, log_variance

    def bound(self, images: Tensor, category: Tensor, noise: Tensor) -> Bound:
        """The negative ELBO (eq. 10 of the paper) with one draw of the posterior, made from `noise` (N, latent)."""
        mean, log_variance = self.encode(images, category)
        latent = mean + torch.exp(0.5 * log_variance) * noise
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        likelihood = log_probability(images, *self.decode(latent, category))
        return Bound(bits_per_dimension(likelihood, self.dimensions), bits_per_dimension(-kl, self.dimensions))

    def _with_category(self, features: Tensor, category: Tensor) -> Tensor:
        if not self.categories:
            return features
        return torch.cat((features, functional.one_hot(category, self.categories).to(features.dtype)), 1)


def down(narrow: int, wide: int) -> tuple[nn.Module, ...]:
    """Half the side."""
    return nn.Conv2d(narrow, wide, 4, 2, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()


def up(wide: int, narrow: int) -> tuple[nn.Module, ...]:
    """Twice the side."""
    return nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU()


class VAE(GradientFamily):
    """The autoencoder above, trained on its evidence lower bound."""

    Config: ClassVar[type[FamilyConfig]] = VAEConfig
    title: ClassVar[str] = "Variational autoencoder (Kingma & Welling 2014)"
    paper: ClassVar[str] = "Kingma & Welling: Auto-Encoding Variational Bayes. ICLR 2014, arXiv:1312.6114"
    likelihood: ClassVar[str | None] = "ELBO (an upper bound of the bits), discretised logistic"
    forward_methods: ClassVar[tuple[str, ...]] = ("bound",)

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        super().__init__(config, shape)
        if shape.size not in SIZES:
            raise InputError("prepare.size", shape.size, SIZES)
        self._config = cast(VAEConfig, config)
        self._autoencoder = Autoencoder(self._config, shape)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self._autoencoder}

    @property
    def latent(self) -> int:
        return self._config.latent

    @property
    def conditional(self) -> bool:
        return self._config.conditional

    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        # Drawn on the CPU, whose generator's state is in the checkpoint, on every device.
        noise = torch.randn(len(images), self.latent).to(images.device)
        bound = cast(Autoencoder, parts.networks["generator"]).bound(images, labels, noise)
        reconstruction, kl = bound.reconstruction.mean(), bound.kl.mean()
        loss = reconstruction + self._config.beta * kl
        parts.update("generator", loss)
        return {"loss_generator": loss.detach(), "reconstruction": reconstruction.detach(), "kl": kl.detach()}

    def bits_per_dimension(self, images: Tensor, labels: Tensor) -> Tensor:
        """The negative ELBO of uint8 images (N, C, H, W), an upper bound, with one draw of the posterior each.

        The draws are the same at every call and do not advance the training's random numbers.
        """
        noise = torch.randn(len(images), self.latent, generator=torch.Generator().manual_seed(0)).to(images.device)
        bound = self._autoencoder.bound(to_signed(images), labels, noise)
        return bound.reconstruction + bound.kl
