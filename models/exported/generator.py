"""A generator as an ONNX file: written from torch, checked against it, and run without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from models.errors import InputError, TrainingError
from models.exported.noise import BATCH, latent_batches, latents, spread_categories
from models.exported.onnx_file import TOLERANCE, open_session, write_onnx
from models.pixels import to_bytes

if TYPE_CHECKING:
    from torch import nn


class Shape(Protocol):
    """The side of a family's square images, and how many categories they have."""

    @property
    def size(self) -> int: ...
    @property
    def categories(self) -> int: ...


class GeneratingFamily(Protocol):
    """What a generator's file is written from; see `models.families.family.Family`."""

    discrete: ClassVar[bool]

    @property
    def generator(self) -> nn.Module: ...
    @property
    def latent(self) -> int: ...
    @property
    def conditional(self) -> bool: ...
    @property
    def shape(self) -> Shape: ...


def export_generator(family: GeneratingFamily, weights: Path, categories: list[str], path: Path) -> float:
    """Write the generator with `weights` as ONNX; returns its difference from torch over a batch and one image.

    The inputs are `latent` (N, latent) float32 and, for conditional families, `category` (N,) int64; the output is
    `image` (N, C, H, W) in [-1, 1]. The difference is the largest absolute one; for discrete families the median over
    the images of the largest one in each, as a rounding error may flip one level and with it the rest of an image.

    Raises:
        TrainingError: the file's images differ from torch's by more than `TOLERANCE`.
    """
    import torch
    from safetensors.torch import load_file

    generator = family.generator
    generator.load_state_dict(load_file(weights))
    generator.eval().to("cpu", torch.float32, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    inputs = {"latent": torch.zeros(2, family.latent), "category": torch.zeros(2, dtype=torch.int64)}
    about = {
        "latent": family.latent,
        "categories": categories,
        "conditional": family.conditional,
        "size": family.shape.size,
    }
    write_onnx(generator, inputs, ["image"], about, path)
    difference = _difference(family, path)
    if not difference <= TOLERANCE:  # written so that nan is refused too
        path.unlink()
        raise TrainingError(
            f"the exported generator differs from the trained one by {difference:.2g}, allowed: {TOLERANCE:.2g}"
        )
    return difference


def _difference(family: GeneratingFamily, path: Path) -> float:
    """Absolute difference between torch and the file over a batch and a single image; nan if either has one."""
    import torch

    exported, differences = ExportedGenerator(path), []
    for count in (BATCH, 1):
        noise = latents(count, family.latent, seed=count)
        categories = spread_categories(count, family.shape.categories)
        with torch.inference_mode():
            expected = family.generator(torch.from_numpy(noise), torch.from_numpy(categories)).numpy()
        differences.append(np.abs(expected - exported.run(noise, categories)).max((1, 2, 3)))
    worst = np.concatenate(differences)
    return float(np.median(worst) if family.discrete else worst.max())


class ExportedGenerator:
    """Makes images from an exported file with ONNX Runtime; needs no torch."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._session, facts = open_session(path, ("latent", "size", "categories", "conditional"), threads)
        self.latent: int = facts["latent"]
        self.size: int = facts["size"]
        self.categories: list[str] = facts["categories"]
        self.conditional: bool = facts["conditional"]
        self._inputs = {node.name for node in self._session.get_inputs()}

    def run(self, noise: npt.NDArray[np.float32], categories: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """One call of the network: images (N, C, H, W) in [-1, 1]."""
        feeds = {"latent": noise, "category": categories}
        outputs = self._session.run(["image"], {name: value for name, value in feeds.items() if name in self._inputs})
        images: npt.NDArray[np.float32] = outputs[0]
        return images

    def batches(self, count: int, seed: int, category: str | None = None) -> Iterator[npt.NDArray[np.uint8]]:
        """`count` images as uint8 (n, H, W, C), in batches of at most `BATCH`; the same bytes for the same seed."""
        wanted = self.wanted(count, category)
        for index, noise in enumerate(latent_batches(count, self.latent, seed, BATCH)):
            size = len(noise)
            padding = BATCH - size
            categories = np.pad(wanted[index * BATCH : index * BATCH + size], (0, padding))
            yield to_bytes(self.run(np.pad(noise, ((0, padding), (0, 0))), categories)[:size])

    def sample(self, count: int, seed: int, category: str | None = None) -> npt.NDArray[np.uint8]:
        """`count` images as one uint8 array (count, H, W, C)."""
        return np.concatenate(list(self.batches(count, seed, category)))

    def wanted(self, count: int, category: str | None = None) -> npt.NDArray[np.int64]:
        """The category of each image: the one requested, or all in turn.

        Raises:
            InputError: the model cannot be asked for a category, or does not know this one.
        """
        if category is None:
            return spread_categories(count, len(self.categories))
        if not self.conditional:
            raise InputError("category", category, "none: this model is not conditional")
        if category not in self.categories:
            raise InputError("category", category, self.categories)
        return np.full(count, self.categories.index(category), np.int64)
