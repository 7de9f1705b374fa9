"""Latent vectors and categories from a seed, equal on every machine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

BATCH = 64
"""Images per call of the network; fixed, so that an image's bytes do not depend on how many are asked for."""


def latents(count: int, size: int, seed: int) -> npt.NDArray[np.float32]:
    """Noise N(0, 1) of shape (count, size); the first images of a larger count are those of a smaller one."""
    return np.random.default_rng(seed).standard_normal((count, size), dtype=np.float32)


def latent_batches(count: int, size: int, seed: int, batch: int) -> Iterator[npt.NDArray[np.float32]]:
    """The noise of `latents`, at most `batch` rows at a time: a whole one of large latents would fill the memory."""
    stream = np.random.default_rng(seed)
    for start in range(0, count, batch):
        yield stream.standard_normal((min(batch, count - start), size), dtype=np.float32)


def spread_categories(count: int, categories: int) -> npt.NDArray[np.int64]:
    """Category of each of `count` images, round and round: 0, 1, ..., categories - 1, 0, ..."""
    return np.arange(count, dtype=np.int64) % categories
