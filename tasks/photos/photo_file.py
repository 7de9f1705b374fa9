"""A photograph's file, read once: what is hashed, decoded, judged and recorded are the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from models.errors import CatalogueError

MOST_BYTES = 2**30
"""Sixteen bits a channel of the most pixels that are read take half of it."""


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
        CatalogueError: it cannot be read, or is larger than a photograph can be.
    """
    if isinstance(source, bytes):
        return PhotoFile(None, source, hashlib.sha256(source).hexdigest())
    try:
        if (size := source.stat().st_size) > MOST_BYTES:
            raise CatalogueError(f"{source}: too large: {size:,} bytes, at most {MOST_BYTES:,} are read")
        content = source.read_bytes()
    except OSError as error:
        raise CatalogueError(f"{source}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    return PhotoFile(source, content, hashlib.sha256(content).hexdigest())
