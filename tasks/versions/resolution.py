"""The versions of a catalogue, and where the bytes of one can be read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from models.errors import CatalogueError, InputError
from tasks.catalogue import cifar, idx
from tasks.photos.formats import is_image_name
from tasks.versions.pins import find_revision, list_revisions, read_pin_at
from tasks.versions.repository import LOCK_SECONDS, DataRepository, open_repository
from tasks.versions.trees import Tree
from tasks.workspace.places import check_relative
from tasks.workspace.settings import CheckoutFolders, Settings
from tasks.workspace.storage import locked, storage_errors

NAME_PATTERN = "[a-z0-9][a-z0-9-]{0,99}"
WORKING_TREE = "working tree"


@dataclass(frozen=True)
class CatalogueVersion:
    """One state of a catalogue's bytes.

    `md5` is 32 hex digits, what `dvc add data/NAME` would name the folder; `folder` is where its files are, once
    `resolve_version` returned it; `bytes` is their size together; `revision` says where the version is known from:
    "working tree", git's short shas, or "" for DVC's cache alone; `source` is set by `ingest_catalogue`.
    """

    name: str
    md5: str
    folder: Path
    images: int
    bytes: int
    revision: str
    source: str = ""


def check_name(name: str) -> None:
    """Raise InputError for a name that cannot be a folder of `data/`."""
    if not re.fullmatch(NAME_PATTERN, name) or check_relative(name):
        raise InputError("catalogue", name, "lower-case letters, digits and hyphens, the first no hyphen, at most 100")


def list_names(root: Path) -> list[str]:
    """The catalogues that are in `data/` now."""
    if not (root / "data").is_dir():
        return []
    return sorted(path.name for path in (root / "data").iterdir() if path.is_dir() and not path.name.startswith("."))


def list_versions(settings: Settings, name: str | None = None) -> list[CatalogueVersion]:
    """Every version, of one catalogue or all, that can be produced here: working tree first, then newest to oldest."""
    with open_repository(settings) as repository:
        return _list_versions(repository, settings, name)


def resolve_version(settings: Settings, name: str, data_version: str | None = None) -> CatalogueVersion:
    """Make one version of the catalogue `name` readable, without touching the working tree.

    Args:
        settings: the checkout and the home folder.
        name: the catalogue.
        data_version: a git revision, or at least 6 digits of the catalogue's md5; None is the working tree.

    Raises:
        InputError: no such catalogue or version; the message lists those available.
        CatalogueError: the version is known, but its bytes are neither in DVC's cache nor fetchable.
    """
    check_name(name)
    with open_repository(settings) as repository:
        return resolve(repository, settings, name, data_version)


def resolve(
    repository: DataRepository, settings: CheckoutFolders, name: str, data_version: str | None = None
) -> CatalogueVersion:
    """`resolve_version` with an already open repository."""
    folder = settings.data / name
    working = repository.hash_folder(folder) if folder.is_dir() else None
    if data_version is None:
        if working is None:
            raise InputError("catalogue", name, list_names(settings.root))
        return _describe(name, working, WORKING_TREE, folder, lambda path: folder / path)
    revision = find_revision(settings.root, data_version)
    if revision is None:
        found = _find_md5(repository, settings, name, data_version)
        tree, revision = _tree_of(repository, settings.root, found), found.revision
    else:
        tree = _read_revision(repository, settings.root, name, revision)
    if working is None or working.md5 != tree.md5:
        folder = settings.home / "catalogues" / tree.md5
        _materialise(repository, tree, folder)
    return _describe(name, tree, revision, folder, lambda path: folder / path)


def _list_versions(repository: DataRepository, settings: CheckoutFolders, name: str | None) -> list[CatalogueVersion]:
    versions: dict[tuple[str, str], CatalogueVersion] = {}
    for revision, data in _data_trees(repository, settings.root):
        for found in data.names() if name is None else [name]:
            tree = data.catalogue(found)
            key = (found, tree.md5)
            if key in versions:
                known = versions[key].revision
                joined = f"{known}, {revision}" if revision and revision not in known else known
                versions[key] = replace(versions[key], revision=joined)
            elif tree.files and (revision == WORKING_TREE or repository.has_files(tree)):
                versions[key] = _describe_known(repository, settings, found, tree, revision)
    return list(versions.values())


def _data_trees(repository: DataRepository, root: Path) -> Iterator[tuple[str, Tree]]:
    """Every known tree of `data/` with the revision that pins it."""
    if (root / "data").is_dir():
        yield WORKING_TREE, repository.hash_folder(root / "data")
    for revision in list_revisions(root):
        tree = repository.load_tree(read_pin_at(root, revision))
        if tree is not None:
            yield revision, tree
    for tree in repository.data_trees():
        yield "", tree


def _describe_known(
    repository: DataRepository, settings: CheckoutFolders, name: str, tree: Tree, revision: str
) -> CatalogueVersion:
    if revision == WORKING_TREE:
        folder = settings.data / name
        return _describe(name, tree, revision, folder, lambda path: folder / path)
    folder = settings.home / "catalogues" / tree.md5
    return _describe(name, tree, revision, folder, lambda path: repository.object_path(tree.files[path]))


def _describe(name: str, tree: Tree, revision: str, folder: Path, locate: Callable[[str], Path]) -> CatalogueVersion:
    """Count a version's images and bytes in the files that `locate` finds for its paths."""
    size = sum(locate(path).stat().st_size for path in tree.files)
    return CatalogueVersion(name, tree.md5, folder, _count_images(tree, locate), size, revision)


def _count_images(tree: Tree, locate: Callable[[str], Path]) -> int:
    for packed in (idx, cifar):
        if any(file in tree.files for file in packed.FILES):
            return sum(packed.count_items(locate(path)) for path in packed.IMAGES if path in tree.files)
    return sum(map(is_image_name, tree.files))


def _find_md5(repository: DataRepository, settings: CheckoutFolders, name: str, md5: str) -> CatalogueVersion:
    known = _list_versions(repository, settings, name)
    found = [version for version in known if len(md5) >= 6 and version.md5.startswith(md5.lower())]
    if len(found) == 1:
        return found[0]
    if not known:
        raise InputError(
            "catalogue", name, sorted({version.name for version in _list_versions(repository, settings, None)})
        )
    listed = ", ".join(f"{version.md5[:12]} ({version.revision or 'in the cache'})" for version in known)
    what = "more digits, it fits several of" if found else "a git revision, or an md5 (6 digits or more) of"
    raise InputError("data-version", md5, f"{what} {name}'s versions: {listed}")


def _tree_of(repository: DataRepository, root: Path, version: CatalogueVersion) -> Tree:
    trees = (data.catalogue(version.name) for _, data in _data_trees(repository, root))
    return next(tree for tree in trees if tree.md5 == version.md5)


def _read_revision(repository: DataRepository, root: Path, name: str, revision: str) -> Tree:
    pin = read_pin_at(root, revision)
    data, reason = repository.load_tree(pin), ""
    if data is None and (root / "data").is_dir() and (whole := repository.hash_folder(root / "data")).md5 == pin:
        return whole.catalogue(name)
    if data is None or not repository.has_files(data.catalogue(name)):
        reason = repository.fetch(pin)
        data = repository.load_tree(pin)
    if data is None:
        raise CatalogueError(f"data/ at {revision} is {pin[:12]}, which DVC's cache does not have, and {reason}")
    tree = data.catalogue(name)
    if not tree.files:
        raise InputError(f"catalogue (at {revision})", name, data.names())
    return tree


def _materialise(repository: DataRepository, tree: Tree, folder: Path) -> None:
    """Put the version's files, read-only, into `folder`: whole or not at all."""
    with locked(folder.with_name(f"{folder.name}.lock"), LOCK_SECONDS, "unpacking this version"):
        if folder.exists():
            return
        partial = folder.with_name(f".{folder.name}.part")
        with storage_errors(folder):
            if partial.exists():
                shutil.rmtree(partial)
            repository.export(tree, partial, link=True)
            partial.rename(folder)
