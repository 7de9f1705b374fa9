"""Files written whole or not at all, digests, and locks between processes."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from models.errors import StorageError
from models.files import write_whole


def digest_file(path: Path, algorithm: str = "sha256") -> str:
    """Hex digest of the file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def write_atomically(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write `content` to `path` so that a reader, a crash or a full disk never leaves half a file.

    The file has the permissions `mode`, less what the umask takes.

    Raises:
        StorageError: the disk is full or the folder cannot be written; what was at `path` before is kept.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content, mode)


def write_private(path: Path, content: bytes) -> None:
    """Write `content` to `path` as `write_atomically` does, for its owner alone under any umask."""
    write_atomically(path, content, mode=0o600)
    path.chmod(0o600)  # a umask may have taken the owner's own permissions


def make_private(folder: Path) -> None:
    """Make a folder that only its owner enters, whatever the umask is or was when it was made.

    Raises:
        StorageError: it cannot be made, or is another account's.
    """
    with storage_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o777 != 0o700:
            folder.chmod(0o700)


def set_aside(path: Path) -> Path | None:
    """Rename what is at `path`, whatever it is, to a free name beside it; None when there is nothing."""
    if not path.exists() and not path.is_symlink():
        return None
    names = (path.with_name(f"{path.name}.aside-{number}") for number in itertools.count(1))
    aside = next(name for name in names if not name.exists() and not name.is_symlink())
    with storage_errors(path):
        path.rename(aside)
    return aside


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write to `path` into a one-line error."""
    try:
        yield
    except OSError as error:
        raise explain_os_error(error, path) from error


def explain_os_error(error: OSError, path: Path) -> StorageError:
    """The one-line error for a failed write to `path`."""
    if error.errno == errno.ENOSPC and not free_files(path):
        return StorageError(f"no inode left: writing {path} failed; remove some files, however small, and try again")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"disk full: writing {path} failed with {free_bytes(path) / 2**20:.1f} MiB free; "
            "free some space and run the same command again"
        )
    return StorageError(f"cannot write {path}: {error.strerror or error}")


def explain_database_error(reason: str, path: Path) -> StorageError:
    """The one-line error for a database at `path`; SQLite may call a full disk an I/O error."""
    if "disk is full" in reason or ("disk I/O error" in reason and free_bytes(path) < 2**20):
        return explain_os_error(OSError(errno.ENOSPC, reason), path)
    return StorageError(f"cannot use {path}: {reason}; see packshot doctor")


def free_bytes(path: Path) -> int:
    """Free bytes on the disk of `path`, which need not exist yet."""
    return shutil.disk_usage(find_existing(path)).free


def free_files(path: Path) -> bool:
    """Whether the disk of `path` has room for one more file; those that count no inodes say 0 of 0."""
    disk = os.statvfs(find_existing(path))
    return disk.f_favail > 0 or disk.f_files == 0


def find_existing(path: Path) -> Path:
    """`path`, or the nearest folder above it that can be reached."""
    return next(one for one in (path, *path.absolute().parents) if os.access(one, os.F_OK))


@contextmanager
def locked(path: Path, seconds: float, doing: str) -> Iterator[None]:
    """Hold the lock file `path`; wait up to `seconds` for another process that is `doing` the same.

    Raises:
        StorageError: the lock was still held after `seconds`.
    """
    lock = FileLock(path)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            raise StorageError(
                f"another process is {doing} (lock {path}); waited {seconds:.0f} s, try again when it is done"
            ) from error
    try:
        yield
    finally:
        lock.release()
