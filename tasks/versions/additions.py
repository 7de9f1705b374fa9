"""A person's folder of photos made a catalogue: copied into `data/`, compared with what was there, pinned by DVC."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.errors import CatalogueError, InputError
from tasks.catalogue.cifar import PICKLED
from tasks.catalogue.table import CIFAR10, FASHION_MNIST, PHOTOS, find_kind
from tasks.photos.formats import is_image_name
from tasks.versions.ingest import complete_others, lock_data
from tasks.versions.repository import open_repository
from tasks.versions.resolution import CatalogueVersion, check_name, resolve
from tasks.versions.trees import Tree
from tasks.workspace.places import check_relative, refuse_leaving
from tasks.workspace.progress import NullProgress, Progress
from tasks.workspace.settings import Settings
from tasks.workspace.storage import storage_errors


@dataclass(frozen=True)
class AddReport:
    """What an addition changed: paths in the catalogue's folder, the number of equal files, and the new version."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    unchanged: int
    version: CatalogueVersion


def add_folder(
    settings: Settings, source: Path, name: str, link: bool = False, progress: Progress | None = None
) -> AddReport:
    """Make the folder `source` the catalogue `name` and pin it; an older version stays in DVC's cache.

    Args:
        settings: the checkout and the home folder.
        source: photos in category folders; it is not changed.
        name: lower-case letters, digits and hyphens.
        link: hard-link the files instead of copying them; the folder must be on the same disk.
        progress: called as files are copied.

    Raises:
        InputError: the name or the folder cannot be used.
        CatalogueError: another catalogue in `data/` is not what `data.dvc` pins, or a link leads out of the folder.
        StorageError: the disk is full, or another process kept a lock.
    """
    listener = progress or NullProgress()
    check_name(name)
    if name == FASHION_MNIST:
        raise InputError("name", name, f"any other name; {name} is fetched and never replaced")
    if name == CIFAR10 and find_kind(source) != CIFAR10:
        raise InputError("name", name, f"any other name for a folder without {name}'s *_batch*.bin files")
    files = _find_files(source, settings.root)
    with lock_data(settings.home), open_repository(settings) as repository:
        complete_others(settings, repository, name, listener)
        folder = settings.data / name
        before = repository.hash_folder(folder) if folder.is_dir() else Tree({})
        if not repository.has_files(before):
            repository.commit()
        _replace(source, files, folder, link, listener)
        repository.commit()
        differences = before.compare(repository.hash_folder(folder))
        return AddReport(*differences, version=resolve(repository, settings, name))


def _find_files(source: Path, root: Path) -> list[Path]:
    if not source.is_dir():
        raise InputError("folder", str(source), "a folder that exists")
    if source.resolve().is_relative_to(root / "data"):
        raise InputError("folder", str(source), "a folder outside of data/")
    refuse_leaving(source)
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    files = [path for path in files if not any(part.startswith(".") for part in path.parts)]
    for file in files:
        if reason := check_relative(str(file)):
            raise InputError("folder", str(source / file), f"names that every system can have, but {reason}")
    if Path(PICKLED) in files:
        raise InputError("folder", str(source), "CIFAR-10's binary version (*.bin); the pickled one is never read")
    if find_kind(source) == PHOTOS and not any(is_image_name(path.name) for path in files):
        raise InputError("folder", str(source), "a folder with images, CATEGORY/x.jpg or SPLIT/CATEGORY/x.jpg")
    return files


def _replace(source: Path, files: list[Path], folder: Path, link: bool, progress: Progress) -> None:
    """Copy `files` of `source` to `folder`, whole or not at all; DVC's cache keeps what was there before."""
    partial, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old.part")
    place: Callable[[Path, Path], object] = _link if link else _copy
    with storage_errors(folder):
        for leftover in (partial, old):
            if leftover.exists():
                shutil.rmtree(leftover)
        for number, file in enumerate(files, 1):
            (partial / file).parent.mkdir(parents=True, exist_ok=True)
            place(source / file, partial / file)
            progress.update(number, len(files), "files copied")
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
        if old.exists():
            shutil.rmtree(old)


def _copy(source: Path, target: Path) -> None:
    """Copy a file; one that became a link or a pipe since it was listed is not followed."""
    descriptor = os.open(source.resolve(), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream, target.open("xb") as copy:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CatalogueError(f"{source} is no file any more")
        shutil.copyfileobj(stream, copy)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise InputError("link", str(source), "files on the disk that data/ is on; leave --link out to copy") from error
