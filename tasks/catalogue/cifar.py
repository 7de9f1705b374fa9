"""CIFAR-10's binary format: records of a label byte and 3,072 colour bytes; its pickled version is never read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from models.errors import CatalogueError

SIDE: Final = 32
RECORD: Final = 1 + 3 * SIDE * SIDE
CATEGORIES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SPLITS = {"train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)), "test": ("test_batch.bin",)}
IMAGES = tuple(name for names in SPLITS.values() for name in names)
NAMES = "batches.meta.txt"
FILES = (NAMES, *IMAGES)
PICKLED = "data_batch_1"  # what the version for Python calls its first file


def count_items(path: Path) -> int:
    """The number of whole records in the batch file `path`."""
    return path.stat().st_size // RECORD


def read_batch(path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The images of a batch file, uint8 (N, 32, 32, 3) in RGB, and labels, uint8 (N,), indices into `CATEGORIES`.

    Raises:
        CatalogueError: the file is empty, its length is not a whole number of records, or it holds a label above 9.
    """
    content = np.fromfile(path, np.uint8)
    records, rest = divmod(len(content), RECORD)
    if rest or not records:
        raise CatalogueError(
            f"{path}: truncated or no batch of CIFAR-10, {len(content):,} bytes where records have {RECORD:,} each"
        )
    rows = content.reshape(records, RECORD)
    labels = rows[:, 0]
    wrong = np.flatnonzero(labels >= len(CATEGORIES))
    if len(wrong):
        raise CatalogueError(f"{path}: label {labels[wrong[0]]} at record {wrong[0]}, allowed: 0 to 9")
    # A record holds three planes, red first.
    images = rows[:, 1:].reshape(records, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels.copy()


def check_names(folder: Path) -> None:
    """Check that `batches.meta.txt` names CIFAR-10's ten categories.

    Raises:
        CatalogueError: it names others, such as CIFAR-100's, or is not text.
    """
    path = folder / NAMES
    try:
        found = tuple(line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip())
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path}: not a text file with CIFAR-10's ten names") from error
    if found != CATEGORIES:
        raise CatalogueError(f"{path}: names {', '.join(found[:12]) or 'nothing'}, expected {', '.join(CATEGORIES)}")


def check_files(folder: Path) -> None:
    """Check that every file in `folder` has CIFAR-10's format; raises CatalogueError for the first that does not."""
    check_names(folder)
    for name in IMAGES:
        read_batch(folder / name)
