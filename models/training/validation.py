"""Samples of a family's network in torch, and the figure that selects the best checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.arrays import Images, Labels
from models.errors import TrainingError
from models.exported.noise import latent_batches, spread_categories
from models.families.family import Family
from models.pixels import to_bytes, to_planes

BATCH = 256
LIKELIHOOD_BATCH = 32
"""Images per call: a PixelCNN is three times as fast with 32 as with 256, whose features no cache holds."""
GRID = 80

Score = Callable[[Images, Labels], float]
"""Distance of generated images (N, H, W, C) of known categories (N,) to the validation split; lower is better."""


class Validation(NamedTuple):
    """What a network is validated by during training.

    A generator by `score` of `samples` images or by its likelihood of `held_out`, an editing family by what it makes of
    the clean images `held_out`.
    """

    score: Score
    held_out: tuple[Images, Labels] | None = None
    samples: int = 2048

    def criterion(self, family: Family) -> str:
        """The figure's name: the family's own, bits per dimension where it has a likelihood, or the distance."""
        if family.criterion is not None:
            return family.criterion
        likely = family.likelihood is not None and self.held_out is not None
        return "validation_bits_per_dimension" if likely else "validation_distance"

    def measure(self, family: Family, generator: nn.Module, seed: int) -> tuple[float, Images]:
        """The figure of `generator`, whose weights are `family`'s, and a grid's worth of images; lower is better."""
        if family.criterion is not None:
            return family.judge(generator, self.clean_images)
        if self.criterion(family) == "validation_distance" or self.held_out is None:
            images, categories = sample(family, generator, self.samples, seed)
            # A plain number: a checkpoint with a numpy one in it would not load.
            return float(self.score(images, categories)), images[:GRID]
        return mean_bits(family, *self.held_out), sample(family, generator, GRID, seed)[0]

    @property
    def clean_images(self) -> Images:
        """The held-out images, which an editing family cannot be judged without."""
        if self.held_out is None:
            raise TrainingError("validation: an editing family is judged on held-out images, and there are none")
        return self.held_out[0]


def sample(family: Family, generator: nn.Module, count: int, seed: int) -> tuple[Images, Labels]:
    """Images uint8 (count, H, W, C) and the categories asked for, spread evenly; the same for the same seed."""
    categories = spread_categories(count, family.shape.categories)
    device = find_device(generator)
    batches = []
    with torch.inference_mode():
        for index, noise in enumerate(latent_batches(count, family.latent, seed, BATCH)):
            asked = torch.from_numpy(categories[index * BATCH :][: len(noise)])
            planes = generator(torch.from_numpy(noise).to(device), asked.to(device))
            batches.append(to_bytes(planes.float().cpu().numpy()))
    return np.concatenate(batches), categories


def mean_bits(family: Family, images: Images, labels: Labels) -> float:
    """Bits per dimension of uint8 images (N, H, W, C), the mean over all."""
    return float(bits_of_each(family, images, labels).mean())


def measure_likelihood(family: Family, images: Images, labels: Labels) -> dict[str, float | int | str | None]:
    """Bits per dimension of `family`'s current weights: mean, standard error, the likelihood's name and the count."""
    bits = bits_of_each(family, images, labels)
    return {
        "bits_per_dimension": float(bits.mean()),
        "bits_per_dimension_spread": float(bits.std(ddof=1) / len(bits) ** 0.5),
        "likelihood": family.likelihood,
        "images": len(bits),
    }


def bits_of_each(family: Family, images: Images, labels: Labels) -> npt.NDArray[np.float64]:
    """Bits per dimension of each of the uint8 images (N, H, W, C), shape (N,)."""
    device = find_device(family.generator)
    bits = []
    with torch.inference_mode():
        for start in range(0, len(images), LIKELIHOOD_BATCH):
            part = slice(start, start + LIKELIHOOD_BATCH)
            planes, categories = to_planes(images[part]), torch.tensor(labels[part])
            bits.append(family.bits_per_dimension(planes.to(device), categories.to(device)).double().cpu().numpy())
    return np.concatenate(bits)


def find_device(network: nn.Module) -> torch.device:
    """Where the network's weights are; the CPU for one that has none."""
    return next((tensor.device for tensor in network.state_dict().values()), torch.device("cpu"))
