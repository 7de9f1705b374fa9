"""A photograph's file, read once: what is hashed, decoded, judged and recorded are the same bytes."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from models.errors import CatalogueError
from tasks.photos.limits import MOST_BYTES


class PhotoFile(NamedTuple):
    """The bytes of one file and their SHA-256; `path` is None where they came without a name."""

    path: Path | None
    content: bytes
    sha256: str

    @property
    def suffix(self) -> str:
        """What the name ends in, in lower case; "" without a name."""
        return self.path.suffix.lower() if self.path else ""

    def __str__(self) -> str:
        return str(self.path) if self.path else "photo"


def load_photo(source: Path | bytes) -> PhotoFile:
    """The photograph in the file `source`, or in a file's bytes.

    Raises:
        CatalogueError: it cannot be read, is no file, or is larger than a photograph can be.
    """
    if isinstance(source, bytes):
        return PhotoFile(None, source, hashlib.sha256(source).hexdigest())
    try:
        content = read_file(source)
    except CatalogueError as error:
        raise CatalogueError(f"{source}: {error}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CatalogueError(f"{source}: cannot be read: {reason.lower()}") from error
    return PhotoFile(source, content, hashlib.sha256(content).hexdigest())


def read_file(path: Path) -> bytes:
    """The bytes of a regular file; a pipe, a device or a socket is refused without a byte read or waited for.

    Raises:
        CatalogueError: it is no regular file, too large, or grows while it is read.
        OSError: there is no such file, or it must not be read.
    """
    # What is opened is what is looked at: between a look by name and the opening the file could be another.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise CatalogueError(f"{_name_kind(found.st_mode)}, expected a file")
        _check_size(found.st_size)
        content = stream.read(found.st_size + 1)
        if len(content) > found.st_size:
            raise CatalogueError("it grew while it was read; try again when it is whole")
        return content


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise CatalogueError(f"too large: {size:,} bytes, at most {MOST_BYTES:,} are read")


def _name_kind(mode: int) -> str:
    return "a pipe" if stat.S_ISFIFO(mode) else "a device"
