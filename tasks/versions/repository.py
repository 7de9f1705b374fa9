"""A small interface to DVC: hash a folder, read the cache, commit `data/`; quiet, and patient with DVC's lock."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import CatalogueError, StorageError
from tasks.versions.trees import Tree
from tasks.workspace.places import place_inside, refuse_leaving
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file, make_private, storage_errors

if TYPE_CHECKING:
    from dvc.repo import Repo

AGAIN = "`packshot data fetch NAME` brings a catalogue's files again"
LOCK_SECONDS = 60.0
RETRY_SECONDS = 0.5


class DataRepository:
    """The DVC repository at the root of the checkout; made by `open_repository`."""

    def __init__(self, repo: Repo, settings: Settings, lock_seconds: float) -> None:
        self._repo = repo
        self._settings = settings
        self._lock_seconds = lock_seconds
        self._cache = Path(repo.cache.local.path)

    def hash_folder(self, folder: Path) -> Tree:
        """The tree of `folder` as it is on disk; DVC's record of times and sizes avoids reading unchanged files."""
        from dvc.fs import localfs
        from dvc_data.hashfile.build import build
        from dvc_data.hashfile.tree import Tree as DvcTree

        with storage_errors(folder):
            refuse_leaving(folder)
            _, _, tree = build(
                self._repo.cache.local, str(folder), localfs, "md5", dry_run=True, ignore=self._repo.dvcignore
            )
        if not isinstance(tree, DvcTree):
            raise CatalogueError(f"{folder} is a file, expected a folder")
        return Tree({"/".join(key): info.value for key, _, info in tree if info and info.value})

    def object_path(self, md5: str) -> Path:
        """Where the cache keeps, or would keep, the file with this md5 (`....dir` for a folder's list)."""
        return self._cache / md5[:2] / md5[2:]

    def load_tree(self, md5: str) -> Tree | None:
        """The folder's list that the cache keeps under `md5`, or None."""
        path = self.object_path(f"{md5}.dir")
        return self._read_tree(path) if path.exists() else None

    def data_trees(self) -> Iterator[Tree]:
        """Every version of `data/` that the cache remembers, the newest first."""
        paths = sorted(self._cache.glob("??/*.dir"), key=lambda path: path.stat().st_mtime, reverse=True)
        return (tree for path in paths if (tree := self._read_tree(path)).is_data())

    def _read_tree(self, path: Path) -> Tree:
        try:
            return Tree.parse(path.read_bytes())
        except CatalogueError as error:
            raise CatalogueError(f"{error}; delete {path}") from error

    def has_files(self, tree: Tree) -> bool:
        """True when the cache has every file of `tree`."""
        return all(self.object_path(md5).exists() for md5 in tree.files.values())

    def export(self, tree: Tree, folder: Path, link: bool) -> None:
        """Write the files of `tree` from the cache into `folder`: read-only hard links (else copies), or plain copies.

        Raises:
            StorageError: a file is missing from the cache, its bytes do not match its name, or the disk is full.
        """
        for relative, md5 in tree.files.items():
            source, target = self.object_path(md5), place_inside(folder, relative)
            if not source.is_file():
                raise StorageError(f"DVC's cache has no {md5} ({relative}); {AGAIN}")
            with storage_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(source.resolve(), target) if link else shutil.copyfile(source, target)
            if digest_file(target, "md5") != md5:
                raise StorageError(f"DVC's cache is damaged: {source} ({relative}); delete it, and {AGAIN}")

    def commit(self) -> None:
        """Put `data/` into the cache and its md5 into `data.dvc`, as `dvc add data` does; the files stay put.

        Raises:
            CatalogueError: a link in `data/` leads elsewhere.
            StorageError: the disk is full.
        """
        with storage_errors(self._cache):
            refuse_leaving(self._settings.data)
            self._patiently(lambda: self._repo.add(str(self._settings.data), relink=False))
        # On a full disk DVC may log the files that it could not copy, and succeed.
        if not self.has_files(self.hash_folder(self._settings.data)):
            free = shutil.disk_usage(self._cache).free / 2**20
            raise StorageError(
                f"DVC could not copy data/ whole to {self._cache}, {free:.0f} MiB free; is the disk full?"
            )

    def fetch(self, md5: str) -> str:
        """Fetch a folder by its `md5` from DVC's remote into the cache; returns "" or why it was not possible."""
        from dvc.exceptions import DvcException
        from dvc_data.hashfile.hash_info import HashInfo

        name = self._repo.config["core"].get("remote")
        if not name:
            return "no DVC remote is configured"
        if self._settings.offline and "://" in self._repo.config["remote"][name]["url"]:
            return f"DVC's remote {name}: skipped, PACKSHOT_OFFLINE is set"
        try:
            self._repo.cloud.pull([HashInfo("md5", f"{md5}.dir")])
            listed = self.load_tree(md5)
            self._repo.cloud.pull([HashInfo("md5", file) for file in listed.files.values()] if listed else [])
        except (DvcException, OSError) as error:
            return f"DVC's remote {name}: {_one_line(error)}"
        return "" if listed and self.has_files(listed) else f"DVC's remote {name} does not have all of it"

    def _patiently(self, write: Callable[[], object]) -> None:
        deadline = time.monotonic() + self._lock_seconds
        while not _attempt(write):
            if time.monotonic() > deadline:
                lock = f"{self._repo.lock.lockfile}, waited {self._lock_seconds:.0f} s"
                raise StorageError(f"another DVC process holds the lock {lock}; try again when it is done")
            time.sleep(RETRY_SECONDS)


@contextmanager
def open_repository(settings: Settings, lock_seconds: float = LOCK_SECONDS) -> Iterator[DataRepository]:
    """Open the DVC repository at `settings.root`.

    Raises:
        StorageError: DVC cannot use the checkout, or its lock stayed held for `lock_seconds`.
    """
    from dvc.exceptions import DvcException

    state = secure_state(settings)
    try:
        with _quiet(), _opened(settings.root, state) as repo:
            yield DataRepository(repo, settings, lock_seconds)
    except DvcException as error:
        raise StorageError(f"DVC in {settings.root}: {_one_line(error)}") from error
    except sqlite3.OperationalError as error:
        raise StorageError(f"cannot write {state}: {error}; free some space and run the same command again") from error


def secure_state(settings: Settings) -> Path:
    """DVC's folder of state in the home, for its owner alone; what others could have written there is thrown away.

    DVC itself would make it writable for every account.

    Raises:
        StorageError: it cannot be made private.
    """
    state = settings.dvc_state
    make_private(settings.home)
    if is_open(state):
        with storage_errors(state):
            state.unlink() if state.is_symlink() else shutil.rmtree(state)
    for folder in (state, state / "repo"):
        make_private(folder)
    return state


def is_open(state: Path) -> bool:
    """Whether another account may write, or could have written, in DVC's folder of state."""
    there = [path for path in (state, state / "repo") if path.is_symlink() or path.exists()]
    return any(path.is_symlink() or path.stat().st_mode & 0o022 for path in there)


@contextmanager
def _opened(root: Path, state: Path) -> Iterator[Repo]:
    from dvc.repo import Repo

    with storage_errors(state):
        repo = Repo(str(root), config={"core": {"site_cache_dir": str(state)}})
    with repo:
        yield repo


@contextmanager
def _quiet() -> Iterator[None]:
    # DVC draws its progress bars unless its logger is above ERROR; its errors are raised, so nothing is lost.
    logger = logging.getLogger("dvc")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        # Another disk, or a system that lets only a file's owner link it.
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copyfile(source, target)
        target.chmod(0o444)


def _attempt(write: Callable[[], object]) -> bool:
    """Run `write`; False when another process holds DVC's lock."""
    from dvc.lock import LockError

    try:
        write()
    except LockError:
        return False
    return True


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
