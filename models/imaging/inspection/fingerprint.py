"""Perceptual hashes, exact and near duplicates, and the groups that must not be torn apart by a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.arrays import Indices

HASH_SIDE = 32
HASH_BITS = 64
CHUNK = 4096
MAX_DISTANCE = 4
# Mean absolute difference of 16x16 grey thumbnails, of 255. Looked at on Fashion-MNIST's candidates: up to 3 nearly
# every pair is one product (58 pairs, at most 4 rows in a group); above 4, thin shoes on black chain (73 at 5).
MAX_DIFFERENCE = 3.0


def shrink(image: Image.Image) -> npt.NDArray[np.uint8]:
    """The 32x32 grey copy of `image`, uint8, that its perceptual hash and its thumbnail are made of."""
    return np.asarray(image.convert("L").resize((HASH_SIDE, HASH_SIDE), Image.Resampling.LANCZOS))


def shrink_stack(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """`shrink` of many grey images at once: uint8 (N, H, W) to (N, 32, 32)."""
    # Pillow resizes each channel by itself, and its overhead is per picture: four grey images travel as one of CMYK.
    packed = np.zeros((-(-len(images) // 4), *images.shape[1:], 4), np.uint8)
    for channel in range(4):
        packed[: len(images[channel::4]), :, :, channel] = images[channel::4]
    small = np.empty((len(packed), HASH_SIDE, HASH_SIDE, 4), np.uint8)
    for row, pixels in enumerate(packed):
        picture = Image.frombytes("CMYK", pixels.shape[1::-1], pixels.tobytes())
        small[row] = np.asarray(picture.resize((HASH_SIDE, HASH_SIDE), Image.Resampling.LANCZOS))
    return small.transpose(0, 3, 1, 2).reshape(-1, HASH_SIDE, HASH_SIDE)[: len(images)]


def hash_perceptually(small: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """pHash of `small`, uint8 (N, 32, 32), as uint64 (N,); bit for bit `imagehash.phash` of the full image."""
    from scipy.fftpack import dct

    hashes = np.empty(len(small), np.uint64)
    for start in range(0, len(small), CHUNK):
        rows = dct(small[start : start + CHUNK], axis=1)[:, :8]
        low = dct(rows, axis=2)[:, :, :8].reshape(-1, HASH_BITS)
        bits = low > np.median(low, axis=1, keepdims=True)
        hashes[start : start + CHUNK] = np.packbits(bits, axis=1).view(">u8").ravel()
    return hashes


def find_near_pairs(hashes: npt.NDArray[np.uint64], small: npt.NDArray[np.uint8]) -> Indices:
    """Pairs of near duplicates, int64 (P, 2), each with the lower row first, in order.

    Args:
        hashes: uint64 (N,), see `hash_perceptually`.
        small: uint8 (N, 32, 32), see `shrink`.

    A pair's hashes differ in at most `MAX_DISTANCE` bits and its thumbnails by at most `MAX_DIFFERENCE` on average.
    """
    pairs = _find_candidates(hashes)
    thumbnails = small.reshape(-1, 16, 2, 16, 2).mean(axis=(2, 4), dtype=np.float32)
    confirmed: list[Indices] = []
    for part in np.array_split(pairs, len(pairs) // CHUNK + 1):
        difference = np.abs(thumbnails[part[:, 0]] - thumbnails[part[:, 1]]).mean(axis=(1, 2))
        confirmed.append(part[difference <= MAX_DIFFERENCE])
    return np.concatenate(confirmed)


def _find_candidates(hashes: npt.NDArray[np.uint64]) -> Indices:
    # Hashes that differ in at most 4 bits are equal in at least one of 5 bands. The bands take every fifth bit, because
    # neighbouring bits of a pHash say much the same and would make a few huge buckets.
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    bands = [bits[:, band :: MAX_DISTANCE + 1] for band in range(MAX_DISTANCE + 1)]
    found = [_pairs_in_buckets(band @ (1 << np.arange(band.shape[1])), hashes) for band in bands]
    return np.unique(np.concatenate(found), axis=0)


def _pairs_in_buckets(keys: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64]) -> Indices:
    """The close pairs among rows of equal key: neighbours at distance 1, 2, ... in the order of the keys."""
    order = np.argsort(keys, kind="stable")
    keys, hashes = keys[order], hashes[order]
    left, step, found = np.arange(len(keys)), 0, [np.empty((0, 2), np.int64)]
    while len(left):
        step += 1
        left = left[left < len(keys) - step]
        left = left[keys[left] == keys[left + step]]
        near = left[np.bitwise_count(hashes[left] ^ hashes[left + step]) <= MAX_DISTANCE]
        found.append(np.stack([order[near], order[near + step]], axis=1))
    return np.sort(np.concatenate(found), axis=1)


def find_first(keys: Sequence[str] | npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """For each row the number of the first row with an equal key, int64 (N,)."""
    import pandas as pd

    codes, _ = pd.factorize(np.asarray(keys, dtype=object))
    _, first = np.unique(codes, return_index=True)
    return np.asarray(first[codes], dtype=np.int64)


def group_rows(count: int, pairs: Indices) -> npt.NDArray[np.int64]:
    """Number the groups of `count` rows that `pairs` connect, int64 (N,), in the order of their first rows."""
    import pandas as pd
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(pd.factorize(labels)[0], dtype=np.int64)
