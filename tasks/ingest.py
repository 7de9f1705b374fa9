"""Bring a catalogue's bytes into `data/`, verified, and hold them against what `data.dvc` pins."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from models.errors import CatalogueError, InputError
from tasks.pins import PIN, read_pin
from tasks.progress import Progress, Silent
from tasks.repository import LOCK_SECONDS, DataRepository, open_repository
from tasks.settings import Settings
from tasks.sources import DIGESTS, NAME, SOURCES, Delivery, Source, fetch_first
from tasks.storage import digest_file, locked, storage_errors
from tasks.trees import Differences, Tree
from tasks.versions import CatalogueVersion, check_name, list_names, resolve

IN_PLACE = "already in data/"


def ingest(
    settings: Settings,
    name: str,
    data_version: str | None = None,
    progress: Progress | None = None,
    *,
    sources: Sequence[Source] = SOURCES,
    digests: Mapping[str, str] = DIGESTS,
) -> CatalogueVersion:
    """Make a version of the catalogue `name` readable; its `source` says where the bytes came from.

    Args:
        settings: the checkout, the home folder, and whether the network may be used.
        name: the catalogue; `fashion-mnist` is fetched when it is not in `data/`.
        data_version: see `versions.resolve_version`; None is the working tree, which must be what `data.dvc` pins.
        progress: hears of downloads.
        sources: where Fashion-MNIST is looked for, in order.
        digests: SHA-256 of each of Fashion-MNIST's files.

    Raises:
        InputError: no such catalogue or version.
        SourceError: no source could deliver the bytes.
        CatalogueError: a file in `data/` has the wrong bytes, or `data/` is not what `data.dvc` pins.
        StorageError: the disk is full, or another process kept a lock.
    """
    check_name(name)
    source = ""
    with lock_data(settings), open_repository(settings) as repository:
        if data_version is None or (name == NAME and not (settings.data / name).exists()):
            delivery = Delivery(settings, repository, settings.data / f".{NAME}.part", progress or Silent())
            source = bring(delivery, sources, digests) if name == NAME else restore(settings, repository, name)
            check_pin(settings, repository, name)
        version = resolve(repository, settings, name, data_version)
    if version.folder == settings.data / name:
        return replace(version, source=source or IN_PLACE)
    return replace(version, source="DVC's cache")


def lock_data(settings: Settings) -> AbstractContextManager[None]:
    """Hold the lock under which `data/` and `data.dvc` are changed."""
    return locked(settings.home / "locks" / "data.lock", LOCK_SECONDS, "changing data/")


def bring(delivery: Delivery, sources: Sequence[Source], digests: Mapping[str, str]) -> str:
    """Complete Fashion-MNIST's folder from the first source that can; returns where the files came from.

    Raises:
        CatalogueError: a file that is there has other bytes; it is not overwritten.
        SourceError: no source could deliver.
    """
    folder = delivery.settings.data / NAME
    missing = _find_missing(folder, digests)
    if not missing:
        return IN_PLACE
    source = fetch_first(delivery, sources, digests)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file in missing:
            (delivery.into / file).rename(folder / file)
        shutil.rmtree(delivery.into)
    return source


def restore(settings: Settings, repository: DataRepository, name: str) -> str:
    """Copy a pinned catalogue that `data/` lacks from DVC; returns where it came from.

    Raises:
        InputError: `data.dvc` pins no such catalogue.
    """
    folder = settings.data / name
    if folder.is_dir():
        return IN_PLACE
    pin = read_pin(settings.root)
    unknown = repository.fetch(pin) if repository.load_tree(pin) is None else ""
    data = repository.load_tree(pin) or Tree({})
    tree = data.catalogue(name)
    if not tree.files:
        names = ", ".join(sorted({NAME, *list_names(settings), *data.names()}))
        hint = f" (what {PIN} pins is not known here: {unknown})" if unknown else ""
        raise InputError("catalogue", name, f"one of {names}{hint}; `packshot data add FOLDER --name NAME` adds one")
    if not repository.has_files(tree) and (reason := repository.fetch(pin)):
        raise CatalogueError(f"catalogue {name}: DVC's cache does not have all of its files, and {reason}")
    partial = settings.data / f".{name}.part"
    with storage_errors(folder):
        if partial.exists():
            shutil.rmtree(partial)
        repository.export(tree, partial, link=False)
        partial.rename(folder)
    return "DVC's cache or remote"


def check_pin(settings: Settings, repository: DataRepository, name: str) -> None:
    """Hold `data/NAME` against what `data.dvc` pins, byte for byte.

    Where DVC's cache does not know what the pinned md5 stands for (a fresh clone), all of `data/` is held against it,
    and then put into the cache.

    Raises:
        CatalogueError: they differ; the message says in which files and what to do.
    """
    pin = read_pin(settings.root)
    pinned = repository.load_tree(pin)
    if pinned is not None:
        found = repository.hash_folder(settings.data / name)
        _refuse_drift(name, pinned.catalogue(name).compare(found), known=name in pinned.names())
        if not repository.has_files(found):
            _commit_if_whole(settings, repository, pin)
    elif not _commit_if_whole(settings, repository, pin) and name != NAME:
        raise CatalogueError(
            f"data/ is not what {PIN} pins ({pin[:12]}): run `dvc fetch`, then `dvc checkout`, "
            "or pin what is there with `packshot data add`"
        )


def _commit_if_whole(settings: Settings, repository: DataRepository, pin: str) -> bool:
    whole = repository.hash_folder(settings.data).md5 == pin
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
            f"or get the pinned one back with `dvc checkout {PIN}`"
        )


def _find_missing(folder: Path, digests: Mapping[str, str]) -> list[str]:
    """The files that `folder` lacks; raises CatalogueError for a file that should not be there as it is."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in digests:
            raise CatalogueError(f"{path} does not belong to {NAME}; move it away and run the same command again")
        if (found := digest_file(path)) != digests[path.name]:
            raise CatalogueError(
                f"{path} has the wrong bytes (sha256 {found[:16]}..., expected {digests[path.name][:16]}...); "
                "move it away and run the same command again to fetch a good one"
            )
    return [file for file in digests if not (folder / file).exists()]
