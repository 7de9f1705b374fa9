"""Which photographs a folder holds, and the name of each one's edited file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from models.errors import InputError
from tasks.photos.formats import is_picture_name


class Found(NamedTuple):
    """The pictures in a folder, relative to it and ordered by name, and the number of other files."""

    pictures: list[str]
    others: int


def find_pictures(folder: Path, but: Path) -> Found:
    """The contents of `folder` and its sub-folders, except hidden files and anything under `but`, where the results go.

    Raises:
        InputError: `folder` holds no picture.
    """
    pictures, others, left_out = list[str](), 0, but.resolve()
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and Path(parent, name).resolve() != left_out]
        for name in names:
            if name.startswith("."):
                continue
            if is_picture_name(name):
                pictures.append(Path(parent, name).relative_to(folder).as_posix())
            else:
                others += 1
    if not pictures:
        raise InputError("IN", str(folder), "a photograph, or a folder that holds some")
    return Found(sorted(pictures), others)


def name_outputs(pictures: Sequence[str], suffix: str, kept: Mapping[str, str]) -> dict[str, str]:
    """Picture -> its edited file, both relative, in the given order; names are unique even where case is ignored.

    `shoes/a.jpg` becomes `shoes/a.png` (`suffix` is `.png`). If `shoes/a.webp` would as well, they become
    `shoes/a.jpg.png` and `shoes/a.webp.png`; if even that is taken, `-2` and so on is added. A picture that was
    edited before keeps the name it had (`kept`).
    """
    named = {one: kept[one] for one in pictures if kept.get(one, "").endswith(suffix)}
    taken = {name.casefold() for name in named.values()}
    plain = {one: PurePosixPath(one).with_suffix(suffix).as_posix() for one in pictures}
    wanted = Counter(name.casefold() for name in plain.values())
    for one in pictures:
        if one in named:
            continue
        alone = wanted[plain[one].casefold()] == 1
        named[one] = _free(plain[one] if alone else one + suffix, suffix, taken, {} if alone else wanted)
        taken.add(named[one].casefold())
    return {one: named[one] for one in pictures}


def _free(name: str, suffix: str, taken: set[str], wanted: Mapping[str, int]) -> str:
    """`name`, or `name` with the first number that makes it neither taken nor claimed by another."""
    stem, number, free = name.removesuffix(suffix), 1, name
    while free.casefold() in taken or free.casefold() in wanted:
        number += 1
        free = f"{stem}-{number}{suffix}"
    return free
