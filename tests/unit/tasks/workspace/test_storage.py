import errno
import hashlib
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from models.errors import StorageError
from tasks.workspace.storage import (
    digest_file,
    explain_database_error,
    explain_os_error,
    locked,
    storage_errors,
    write_atomically,
)

HOLD = """
import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a tmpfs; a full disk is imitated in test_a_full_disk_is_told_in_one_line")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock until its input ends."""
    (tmp_path / "deep").mkdir()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "deep" / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_a_file_is_written_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "file.bin"
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"
    assert list(path.parent.iterdir()) == [path]


def test_a_reader_of_the_old_file_keeps_it(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


def test_a_real_full_disk_leaves_the_old_file_and_nothing_else(tiny_disk):
    path = tiny_disk / "file"
    write_atomically(path, b"old" * 1000)
    with pytest.raises(StorageError, match=r"^disk full: writing .*file failed with 0\.\d MiB free; free some space"):
        write_atomically(path, bytes(200_000))
    assert path.read_bytes() == b"old" * 1000
    assert list(tiny_disk.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch, number):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"^disk full: writing .*file failed with [\d.]+ MiB free; .*run the same"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_with_a_full_disk_is_told_as_one(tmp_path):
    path = tmp_path / "lineage.db"
    assert str(explain_database_error("database or disk is full", path)).startswith(f"disk full: writing {path} failed")
    broken = "file is not a database"
    assert str(explain_database_error(broken, path)) == f"cannot use {path}: {broken}; see packshot doctor"


def test_sqlites_io_error_is_a_full_disk_where_no_room_is_left(tiny_disk):
    assert str(explain_database_error("disk I/O error", tiny_disk / "lineage.db")).startswith("disk full: writing")


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(StorageError, match=r"^cannot write .*folder/file: "):
        write_atomically(tmp_path / "folder" / "file", b"")


def test_other_refusals_are_told_and_other_errors_pass(tmp_path):
    error = PermissionError(errno.EACCES, "Permission denied")
    assert str(explain_os_error(error, tmp_path / "x")) == f"cannot write {tmp_path / 'x'}: Permission denied"
    with pytest.raises(ValueError, match="mine"), storage_errors(tmp_path):
        raise ValueError("mine")


def test_digests_are_those_of_the_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    assert digest_file(path) == hashlib.sha256(b"content").hexdigest()
    assert digest_file(path, "md5") == hashlib.md5(b"content").hexdigest()


def test_a_lock_that_stays_held_is_told_with_what_the_other_is_doing(tmp_path, holder):
    path = tmp_path / "deep" / "lock"
    message = r"^another process is counting stock \(lock .*lock\); waited 0 s, try again when it is done$"
    with pytest.raises(StorageError, match=message), locked(path, 0.2, "counting stock"):
        pytest.fail("two processes hold one lock")


def test_a_lock_is_waited_for(tmp_path, holder):
    order = []

    def let_go():
        order.append("let go")
        holder.stdin.close()

    threading.Timer(0.3, let_go).start()
    with locked(tmp_path / "deep" / "lock", 60, "counting stock"):
        order.append("taken")
    assert order == ["let go", "taken"]


def test_a_lock_is_free_again_after_an_error(tmp_path):
    path = tmp_path / "new" / "lock"
    with pytest.raises(ValueError, match="mine"), locked(path, 0, "working"):
        raise ValueError("mine")
    with locked(path, 0, "working"):
        pass


def test_errors_of_the_work_are_not_taken_for_those_of_the_lock(tmp_path):
    with pytest.raises(TimeoutError, match="mine"), locked(tmp_path / "lock", 0, "working"):
        raise TimeoutError("mine")


def test_a_folder_that_cannot_hold_a_lock_is_told(tmp_path):
    (tmp_path / "lock").mkdir()
    with pytest.raises(StorageError, match="cannot write"), locked(tmp_path / "lock", 0.2, "working"):
        pytest.fail("a folder was locked")


@pytest.mark.parametrize(
    ("free", "total", "said"), [(0, 1000, "no inode left"), (9, 1000, "disk full"), (0, 0, "disk full")]
)
def test_no_inode_left_is_told_apart_from_no_space_left(tmp_path, monkeypatch, free, total, said):
    disk = SimpleNamespace(f_favail=free, f_files=total, f_frsize=4096, f_blocks=10, f_bfree=5, f_bavail=5)
    monkeypatch.setattr(os, "statvfs", lambda path: disk)
    with pytest.raises(StorageError, match=f"^{said}: writing "), storage_errors(tmp_path / "new" / "file"):
        raise OSError(errno.ENOSPC, "No space left on device")
