"""What a batch has finished, one line per photograph, so that the same command resumes after a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.editing.networks import Asked
from tasks.editing.table import Row
from tasks.provenance.record import Link
from tasks.workspace.places import check_relative, open_unlinked
from tasks.workspace.storage import storage_errors


class Entry(BaseModel):
    """A finished photograph: what it was made from and by, its row, and what the lineage index has of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    """A digest of the picture's name and bytes, the operations, and how the result is written."""
    row: Row
    networks: tuple[Asked, ...] = ()
    ancestry: tuple[Link, ...] = ()
    """What the photograph says that it was made from itself."""
    software: str
    created: str
    flow_run: str = ""


class Journal:
    """An append-only file of entries; only their keys and offsets are kept in memory."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        self._places: dict[str, int] = {}
        self.outputs: dict[str, str] = {}
        """Picture -> the name of its edited file, of all that was finished."""
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = open(path, "a+b", opener=open_unlinked)  # noqa: SIM115
            self._end = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def find(self, key: str) -> Entry | None:
        """The newest entry of `key`."""
        with self._lock:
            if key not in self._places:
                return None
            self._stream.seek(self._places[key])
            return Entry.model_validate_json(self._stream.readline())

    def add(self, entry: Entry) -> None:
        """Append an entry, whole or not at all.

        Raises:
            StorageError: the disk is full.
        """
        line = entry.model_dump_json().encode() + b"\n"
        with self._lock, storage_errors(self._path):
            self._stream.seek(self._end)
            self._stream.write(line)
            self._stream.flush()
            self._places[entry.key] = self._end
            self._end += len(line)

    def _read(self) -> int:
        """Read existing entries, cutting off the half line that a kill or a full disk left."""
        end = 0
        for line in self._lines():
            entry = _parse(line)
            if entry is None:
                break
            self._places[entry.key] = end
            if not check_relative(entry.row.output):  # the folder may come from anyone
                self.outputs[entry.row.input] = entry.row.output
            end += len(line)
        os.ftruncate(self._stream.fileno(), end)
        return end

    def _lines(self) -> Iterator[bytes]:
        self._stream.seek(0)
        return iter(self._stream)


def _parse(line: bytes) -> Entry | None:
    try:
        return Entry.model_validate_json(line) if line.endswith(b"\n") else None
    except (ValidationError, json.JSONDecodeError):
        return None
