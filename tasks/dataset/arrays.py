"""Arrays read from files that may have been replaced: numbers alone, never objects, whose loading would run code."""

from __future__ import annotations

import pickle
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np

from models.arrays import Array
from models.errors import StorageError

DAMAGE = (
    *(ValueError, TypeError, SyntaxError, LookupError, ArithmeticError, AttributeError, EOFError, MemoryError),
    *(RuntimeError, struct.error, tokenize.TokenError, pickle.UnpicklingError, zipfile.BadZipFile, zlib.error),
)


def read_array(path: Path, mmap_mode: Literal["r"] | None = None) -> Array:
    """The array in a .npy file; with `mmap_mode` read as it is used.

    Raises:
        StorageError: it cannot be read, is damaged, or holds anything but numbers.
    """
    with _explained(path):
        found = np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
        if not isinstance(found, np.ndarray):
            raise TypeError("several arrays, expected one")
        return _numbers(found)


def read_arrays(path: Path, *names: str) -> tuple[Array, ...]:
    """The arrays called `names` in a .npz file.

    Raises:
        StorageError: as `read_array`, or one is missing.
    """
    with _explained(path), path.open("rb") as stream:  # numpy leaves open what it cannot read
        found = np.load(stream, allow_pickle=False)
        if isinstance(found, np.ndarray):
            raise TypeError("one array, expected several with names")
        with found:
            return tuple(_numbers(found[name]) for name in names)


def _numbers(found: Array) -> Array:
    if not np.issubdtype(found.dtype, np.number) and found.dtype != np.bool_:
        raise ValueError(f"values of type {found.dtype}, expected numbers")
    return found


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (*DAMAGE, OSError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise StorageError(f"{path} is damaged: {reason}; delete it and run the same command again") from error
