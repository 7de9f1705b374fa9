"""Paths as records keep them, relative to the home, so that a home can move with all that it holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, SerializationInfo, ValidationInfo


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
