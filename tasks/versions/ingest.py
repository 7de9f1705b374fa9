"""A catalogue's bytes brought into `data/`, verified, and compared with what `data.dvc` pins."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from models.errors import CatalogueError, InputError
from tasks.versions.origins import ORIGINS
from tasks.versions.pins import PIN, read_pin
from tasks.versions.repository import DataRepository, open_repository
from tasks.versions.resolution import CatalogueVersion, check_name, list_names, resolve
from tasks.versions.sources import Delivery, Origin, fetch_first
from tasks.versions.trees import Differences, Tree
from tasks.workspace.progress import NullProgress, Progress
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file, locked, storage_errors

GET_BACK = "or move data/{0} elsewhere and get the pinned one back with `packshot data fetch {0}`"
IN_PLACE = "already in data/"
LOCK_SECONDS = 600.0
PINNED_NOW = "; pinned now: commit data.dvc to keep it"


def ingest_catalogue(
    settings: Settings,
    name: str,
    data_version: str | None = None,
    progress: Progress | None = None,
    *,
    origins: Mapping[str, Origin] = ORIGINS,
) -> CatalogueVersion:
    """Make a version of the catalogue `name` readable; its `source` says where the bytes came from.

    Args:
        settings: the checkout, the home folder, and whether the network may be used.
        name: the catalogue; one of `origins` is fetched when it is not in `data/`, and pinned if it never was.
        data_version: see `versions.resolve_version`; None is the working tree, which must be what `data.dvc` pins.
        progress: called as files are downloaded.
        origins: the catalogues that can be fetched.

    Raises:
        InputError: no such catalogue or version.
        SourceError: no source could deliver the bytes.
        CatalogueError: a file in `data/` has the wrong bytes, or `data/` is not what `data.dvc` pins.
        StorageError: the disk is full, or another process kept a lock.
    """
    check_name(name)
    source = ""
    with lock_data(settings.home), open_repository(settings) as repository:
        if data_version is None or (name in origins and not (settings.data / name).exists()):
            source = _settle(settings, repository, name, origins, progress or NullProgress())
        version = resolve(repository, settings, name, data_version)
    if version.folder == settings.data / name:
        return replace(version, source=source or IN_PLACE)
    return replace(version, source="DVC's cache")


def lock_data(home: Path) -> AbstractContextManager[None]:
    """Hold the lock under which `data/` and `data.dvc` are changed."""
    return locked(home / "locks" / "data.lock", LOCK_SECONDS, "changing data/")


def _settle(
    settings: Settings, repository: DataRepository, name: str, origins: Mapping[str, Origin], progress: Progress
) -> str:
    """Put `data/NAME` in place as pinned; returns where it came from."""
    if name not in origins:
        source = restore(settings.root, repository, name, origins)
        check_pin(settings.root, repository, name, origins)
        return source
    source = bring(Delivery(name, settings, repository, settings.data / f".{name}.part", progress), origins[name])
    pinned = repository.load_tree(read_pin(settings.root))
    if pinned is None and not origins[name].digests:  # nothing else says which bytes are right
        pinned = complete_others(settings, repository, name, progress, origins)
    if pinned is None or name in pinned.names():
        check_pin(settings.root, repository, name, origins)
        return source
    complete_others(settings, repository, name, progress, origins)
    repository.commit()
    return source + PINNED_NOW


def bring(delivery: Delivery, origin: Origin) -> str:
    """Complete the folder of a fetched catalogue from the first source that can; returns that source.

    Raises:
        CatalogueError: an existing file has different bytes; it is not overwritten.
        SourceError: no source could deliver the files.
    """
    folder = delivery.settings.data / origin.name
    missing = _find_missing(folder, origin)
    if not missing:
        origin.check(folder)
        return IN_PLACE
    source = fetch_first(delivery, origin)
    fetched = {file: digest_file(delivery.into / file) for file in origin.files}
    for file in fetched.keys() - set(missing):
        _require_bytes(folder / file, fetched[file])
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file in missing:
            (delivery.into / file).rename(folder / file)
        shutil.rmtree(delivery.into)
    return source


def complete_others(
    settings: Settings,
    repository: DataRepository,
    name: str,
    progress: Progress,
    origins: Mapping[str, Origin] = ORIGINS,
) -> Tree:
    """Put every pinned catalogue but `name` in place, because `dvc add data` pins all of `data/`.

    Returns the tree that `data.dvc` pins, empty where there is no `data.dvc` yet.

    Raises:
        CatalogueError: one of them differs from its pin, or the pinned tree is unknown here.
    """
    if not (settings.root / PIN).exists():
        return Tree({})
    pinned = repository.load_tree(read_pin(settings.root))
    if pinned is None:
        return _recognise(settings, repository, name, progress, origins)
    for other in pinned.names():
        if other != name:
            restore(settings.root, repository, other, origins)
            check_pin(settings.root, repository, other, origins)
    return pinned


def _recognise(
    settings: Settings, repository: DataRepository, name: str, progress: Progress, origins: Mapping[str, Origin]
) -> Tree:
    """The pinned tree when DVC's cache does not know it: all of `data/`, or all but the new catalogue `name`."""
    tree = _match_pin(settings.root, repository, name)
    for origin in origins.values():
        if tree is None and origin.digests and origin.name != name:
            bring(Delivery(origin.name, settings, repository, settings.data / f".{origin.name}.part", progress), origin)
            tree = _match_pin(settings.root, repository, name)
    if tree is None:
        raise CatalogueError(
            f"DVC's cache does not know what {PIN} pins; run `packshot data fetch NAME` first, NAME one that it pins"
        )
    return tree


def _match_pin(root: Path, repository: DataRepository, name: str) -> Tree | None:
    if not (root / "data").is_dir():
        return None
    whole, pin = repository.hash_folder(root / "data"), read_pin(root)
    return next((tree for tree in (whole, whole.without(name)) if tree.md5 == pin), None)


def restore(root: Path, repository: DataRepository, name: str, origins: Mapping[str, Origin] = ORIGINS) -> str:
    """Copy a pinned catalogue that `data/` lacks from DVC; returns where it came from.

    Raises:
        InputError: `data.dvc` pins no such catalogue.
    """
    folder = root / "data" / name
    if folder.is_dir():
        return IN_PLACE
    pin = read_pin(root)
    unknown = repository.fetch(pin) if repository.load_tree(pin) is None else ""
    data = repository.load_tree(pin) or Tree({})
    tree = data.catalogue(name)
    if not tree.files:
        names = ", ".join(sorted({*origins, *list_names(root), *data.names()}))
        hint = f" (what {PIN} pins is not known here: {unknown})" if unknown else ""
        raise InputError("catalogue", name, f"one of {names}{hint}; `packshot data add FOLDER --name NAME` adds one")
    if not repository.has_files(tree) and (reason := repository.fetch(pin)):
        raise CatalogueError(f"catalogue {name}: DVC's cache does not have all of its files, and {reason}")
    partial = root / "data" / f".{name}.part"
    with storage_errors(folder):
        if partial.exists():
            shutil.rmtree(partial)
        repository.export(tree, partial, link=False)
        partial.rename(folder)
    return "DVC's cache or remote"


def check_pin(root: Path, repository: DataRepository, name: str, origins: Mapping[str, Origin] = ORIGINS) -> None:
    """Compare `data/NAME` with what `data.dvc` pins, byte for byte.

    When DVC's cache does not know the pinned md5 (a fresh clone), all of `data/` is compared with it
    and then put into the cache.

    Raises:
        CatalogueError: they differ; the message names the files and what to do.
    """
    pin = read_pin(root)
    pinned = repository.load_tree(pin)
    if pinned is not None:
        found = repository.hash_folder(root / "data" / name)
        _refuse_drift(name, pinned.catalogue(name).compare(found), known=name in pinned.names())
        if not repository.has_files(found):
            _commit_if_whole(root, repository, pin)
    elif not _commit_if_whole(root, repository, pin) and not (name in origins and origins[name].digests):
        raise CatalogueError(
            f"data/ is not what {PIN} pins ({pin[:12]}): pin what is there with `packshot data add`, "
            f"{GET_BACK.format(name)}"
        )


def _commit_if_whole(root: Path, repository: DataRepository, pin: str) -> bool:
    whole = repository.hash_folder(root / "data").md5 == pin
    if whole:
        repository.commit()
    return whole


def _refuse_drift(name: str, differences: Differences, known: bool) -> None:
    if not known:
        raise CatalogueError(f"data/{name} is not in {PIN}; pin it with `packshot data add FOLDER --name {name}`")
    if differences:
        words = (("added", differences.added), ("missing", differences.removed), ("changed", differences.changed))
        listed = "; ".join(f"{len(paths)} {word} ({paths[0]})" for word, paths in words if paths)
        raise CatalogueError(
            f"data/{name} is not what {PIN} pins: {listed}; pin the new state with `packshot data add`, "
            f"{GET_BACK.format(name)}"
        )


def _find_missing(folder: Path, origin: Origin) -> list[str]:
    """The files that `folder` lacks; raises CatalogueError for a file that should not be there as it is."""
    for path in sorted(folder.iterdir()) if folder.is_dir() and origin.digests else ():
        if path.name not in origin.digests:
            raise CatalogueError(
                f"{path} does not belong to {origin.name}; move it away and run the same command again"
            )
        _require_bytes(path, origin.digests[path.name])
    return [file for file in origin.files if not (folder / file).exists()]


def _require_bytes(path: Path, expected: str) -> None:
    if (found := digest_file(path)) != expected:
        raise CatalogueError(
            f"{path} has the wrong bytes (sha256 {found[:16]}..., expected {expected[:16]}...); "
            "move it away and run the same command again to fetch a good one"
        )
