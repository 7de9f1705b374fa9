"""Paths that are named: by records, relative to the home that may move, and by foreign data, which none may leave."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, SerializationInfo, ValidationInfo

from models.errors import CatalogueError, InputError


def shorten(home: Path, path: Path) -> str:
    """The path as seen from the home, such as `trainings/KEY`, or `../packshots` for what lies beside it."""
    return os.path.relpath(path, home)


def locate(home: Path, name: str) -> Path:
    """The path that `shorten` made `name` of; an absolute one, as older records have, is itself."""
    return Path(os.path.normpath(home / name))


def _read(value: object, info: ValidationInfo) -> object:
    # As text: a path that is read from JSON is refused where it is a Path already.
    return str(locate(info.context["home"], value)) if info.context and isinstance(value, str) else value


def _write(path: Path, info: SerializationInfo) -> str:
    return shorten(info.context["home"], path) if info.context else str(path)


HomePath = Annotated[Path, BeforeValidator(_read), PlainSerializer(_write, when_used="json")]
"""A path that a record keeps: give `context={"home": ...}` where JSON is written and read."""


DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices, whatever follows their first dot."""


def check_relative(name: str) -> str:
    """Why a path that foreign data names may not be joined to a folder; "" where it may.

    It must lead to a place in the folder on every system: data travels.
    """
    parts = name.split("/") if isinstance(name, str) else []
    if not name or not parts:
        return "it is empty"
    if "\0" in name or "\\" in name:
        return "it holds a NUL or a backslash"
    if any(part in ("", ".", "..") for part in parts):
        return "it is absolute, or leads out of its folder"
    if any(DEVICES.fullmatch(part) or part[1:2] == ":" for part in parts):
        return "it names a device or a drive"
    return ""


def place_inside(root: Path, name: str, field: str = "path") -> Path:
    """The path that foreign data names in the folder `root`, which may itself be a link.

    Raises:
        InputError: it leaves the folder, or a link is on the way to it.
    """
    if reason := check_relative(name):
        raise InputError(field, name, f"a path inside {root}, but {reason}")
    path = root
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            raise InputError(field, name, f"a path inside {root} without links, but {path} is one")
    return path


def open_unlinked(name: str, flags: int) -> int:
    """The `opener` of a file in a folder of results, such as its journal: it fails for a link, which anyone may plant.

    Raises:
        OSError: it is a link, or cannot be opened.
    """
    return os.open(name, flags | os.O_NOFOLLOW, 0o666)


def find_leaving(folder: Path) -> str:
    """The first link in a folder that leads out of it, to a folder or nowhere, relative to the folder; "" without one.

    Hidden files and folders are not looked at: no catalogue has them.
    """
    root = os.path.realpath(folder)
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.name.startswith("."):
                    continue
                if entry.is_symlink() and not _stays(entry.path, root):
                    return os.path.relpath(entry.path, folder)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return ""


def refuse_leaving(folder: Path) -> None:
    """Refuse a catalogue in which a link leads elsewhere: what it points to would be read as a photograph or copied.

    Raises:
        CatalogueError: there is one, which the message names, or a folder cannot be read.
    """
    try:
        found = find_leaving(folder)
    except OSError as error:
        raise CatalogueError(
            f"{error.filename or folder} cannot be read: {(error.strerror or 'unknown').lower()}"
        ) from error
    if found:
        raise CatalogueError(
            f"{folder / found} is a link to a folder, to what lies outside of {folder}, or to nothing: "
            "put the file itself there, or take the link away"
        )


def _stays(link: str, root: str) -> bool:
    target = Path(os.path.realpath(link))
    return target.is_file() and target.is_relative_to(root)
