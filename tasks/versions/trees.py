"""DVC's list of a folder's files, and the md5 by which DVC names it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from models.errors import CatalogueError
from tasks.catalogue import cifar, idx
from tasks.photos.formats import is_image_name
from tasks.workspace.places import check_relative

MD5 = re.compile("[0-9a-f]{32}")
PACKED = frozenset((*idx.FILES, *cifar.FILES))  # files that each hold many images


class Differences(NamedTuple):
    """Paths that one tree adds, lacks or changes relative to another, each in order; and how many are equal."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    unchanged: int

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True)
class Tree:
    """`files` maps each file's path in the folder, with slashes, to the md5 of its bytes."""

    files: Mapping[str, str]

    @classmethod
    def parse(cls, content: bytes) -> Tree:
        """Read one of DVC's `.dir` objects, which may come from a remote that anyone wrote to.

        Raises:
            CatalogueError: it is damaged, or a path or an md5 in it would lead out of its folder.
        """
        try:
            files = {str(entry["relpath"]): str(entry["md5"]) for entry in json.loads(content)}
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise CatalogueError("a folder's list in DVC's cache is damaged") from error
        for path, md5 in files.items():
            if reason := check_relative(path) or ("" if MD5.fullmatch(md5) else f"{md5[:40]!r} is no md5"):
                raise CatalogueError(f"a folder's list in DVC's cache names {path[:200]!r}, but {reason}")
        return cls(files)

    @property
    def md5(self) -> str:
        """32 hex digits: what `dvc add` of this folder writes before `.dir`."""
        entries = [{"md5": md5, "relpath": path} for path, md5 in sorted(self.files.items())]
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest()

    def names(self) -> list[str]:
        """The sub-folders at the top, in order: the catalogues, when this is the tree of `data/`."""
        return sorted({path.split("/")[0] for path in self.files if "/" in path})

    def is_data(self) -> bool:
        """True when this can be a tree of `data/`: at the top only folders of images or of packed images."""
        names = self.names()
        return bool(names) and all("/" in path for path in self.files) and all(map(self._is_catalogue, names))

    def _is_catalogue(self, name: str) -> bool:
        return any(is_image_name(path) or path in PACKED for path in self.catalogue(name).files)

    def catalogue(self, name: str) -> Tree:
        """The sub-folder `name` as a tree of its own; empty when there is none."""
        prefix = f"{name}/"
        return Tree({path.removeprefix(prefix): md5 for path, md5 in self.files.items() if path.startswith(prefix)})

    def without(self, name: str) -> Tree:
        """This tree without the sub-folder `name`."""
        return Tree({path: md5 for path, md5 in self.files.items() if not path.startswith(f"{name}/")})

    def compare(self, newer: Tree) -> Differences:
        """What `newer` adds, lacks and changes."""
        both = sorted(self.files.keys() & newer.files.keys())
        changed = [path for path in both if self.files[path] != newer.files[path]]
        added, removed = newer.files.keys() - self.files.keys(), self.files.keys() - newer.files.keys()
        return Differences(sorted(added), sorted(removed), changed, len(both) - len(changed))
