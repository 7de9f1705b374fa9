"""The textbook DCGAN loop, plain PyTorch in fp32 with a DataLoader: what our trainer is measured against."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

LATENT = 100


def make_networks() -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator for 1x32x32 images, 256-128-64, weights from N(0, 0.02)."""
    generator = nn.Sequential(
        *(nn.ConvTranspose2d(LATENT, 256, 4, 1, 0, bias=False), nn.BatchNorm2d(256), nn.ReLU(True)),
        *(nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(True)),
        *(nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(True)),
        *(nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False), nn.Tanh()),
    )
    discriminator = nn.Sequential(
        *(nn.Conv2d(1, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(128, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(256, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0)),
    )
    for module in (*generator, *discriminator):
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return generator, discriminator


def train_textbook(images: Tensor, batch_size: int) -> Iterator[nn.Module]:
    """Train on float images (N, 1, 32, 32) in [-1, 1] for ever; yields the generator after every update."""
    generator, discriminator = make_networks()
    loss = nn.BCELoss()
    generator_optimiser = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    discriminator_optimiser = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    loader = DataLoader(TensorDataset(images), batch_size=batch_size, shuffle=True, drop_last=True)
    real, fake = torch.ones(batch_size), torch.zeros(batch_size)
    while True:
        for (batch,) in loader:
            made = generator(torch.randn(batch_size, LATENT, 1, 1))
            discriminator_optimiser.zero_grad()
            (loss(discriminator(batch), real) + loss(discriminator(made.detach()), fake)).backward()
            discriminator_optimiser.step()
            generator_optimiser.zero_grad()
            loss(discriminator(made), real).backward()
            generator_optimiser.step()
            yield generator
