"""Fashion-MNIST's own file format (idx): a big-endian header and unsigned bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import CatalogueError

IMAGES_MAGIC = 0x00000803
LABELS_MAGIC = 0x00000801
SIDE = 28
CATEGORIES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
SPLITS = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
IMAGES = tuple(images for images, _ in SPLITS.values())
FILES = tuple(name for pair in SPLITS.values() for name in pair)


def count_items(path: Path) -> int:
    """How many images or labels the header of the idx file `path` announces."""
    with path.open("rb") as stream:
        header = stream.read(8)
    if len(header) < 8:
        raise CatalogueError(f"{path}: truncated, {len(header)} bytes where an idx header has at least 8")
    return int(struct.unpack(">II", header)[1])


def read_images(path: Path) -> npt.NDArray[np.uint8]:
    """The images of an idx3 file: uint8 (N, 28, 28), 0 is black.

    Raises:
        CatalogueError: the file is not idx3, holds images of another size, or has another length than its header says.
    """
    count, content = _read(path, IMAGES_MAGIC, header=16)
    shape = struct.unpack(">II", content[8:16])
    if shape != (SIDE, SIDE):
        raise CatalogueError(f"{path}: images of {shape[0]}x{shape[1]} pixels, expected {SIDE}x{SIDE}")
    return _body(path, content, header=16, expected=count * SIDE * SIDE).reshape(count, SIDE, SIDE)


def read_labels(path: Path) -> npt.NDArray[np.uint8]:
    """The labels of an idx1 file: uint8 (N,), each an index into `CATEGORIES`.

    Raises:
        CatalogueError: the file is not idx1, is shorter or longer than its header says, or holds a label above 9.
    """
    count, content = _read(path, LABELS_MAGIC, header=8)
    labels = _body(path, content, header=8, expected=count)
    if count and int(labels.max()) >= len(CATEGORIES):
        raise CatalogueError(f"{path}: label {labels.max()} at item {labels.argmax()}, allowed: 0 to 9")
    return labels


def _read(path: Path, magic: int, header: int) -> tuple[int, bytes]:
    content = path.read_bytes()
    if len(content) < header:
        raise CatalogueError(f"{path}: truncated, {len(content)} bytes where the header alone has {header}")
    found, count = struct.unpack(">II", content[:8])
    if found != magic:
        raise CatalogueError(f"{path}: not the expected idx file, begins with {found:#010x}, not {magic:#010x}")
    return count, content


def _body(path: Path, content: bytes, header: int, expected: int) -> npt.NDArray[np.uint8]:
    if len(content) - header != expected:
        state = "truncated" if len(content) - header < expected else "too long"
        raise CatalogueError(f"{path}: {state}, {len(content) - header} bytes of data where its header says {expected}")
    return np.frombuffer(content, np.uint8, offset=header)
