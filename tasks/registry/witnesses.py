"""A version beside what the ledger says of it: all of its files, and the tags and run that say where it is from."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.errors import RegistryError
from tasks.lineage.entries import Entry, Witness, find_witness
from tasks.registry.model_folder import find_folder
from tasks.registry.tracking import Tracking
from tasks.registry.versions import VersionSummary
from tasks.workspace.storage import digest_file

WRITTEN_LATER = ("gate.reason", "latency_ms", "memory_mb")
"""Tags that Packshot itself changes after a version was registered; none of them goes into a record of provenance."""


class Unlike(RegistryError):
    """A version is not what the ledger says; `in_tags` when tags alone differ, which can be written again."""

    def __init__(self, message: str, in_tags: bool = False) -> None:
        super().__init__(message)
        self.in_tags = in_tags


class Unwitnessed(RegistryError):
    """The ledger does not say what a version is; `withdrawn` when it says that it is to be used no more."""

    def __init__(self, message: str, withdrawn: bool = False) -> None:
        super().__init__(message)
        self.withdrawn = withdrawn


def list_files(folder: Path) -> dict[str, str]:
    """SHA-256 of all files below `folder`, by their paths; what is neither file nor folder has none."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir())
    return {path.relative_to(folder).as_posix(): _digest(path) for path in found}


def _digest(path: Path) -> str:
    return digest_file(path) if stat.S_ISREG(path.lstat().st_mode) else ""


def check_version(
    home: Path, tracking: Tracking, entries: Sequence[Entry], version: VersionSummary
) -> tuple[Witness, Path]:
    """What the ledger says of the version, and the folder of its files, after comparing all of it.

    Raises:
        Unlike: a file or a tag is not what was registered.
        Unwitnessed: the ledger has no entry of the version.
    """
    witness = find_witness(entries, version.slot, version.version)
    named = f"{version.slot} version {version.version}"
    if witness is None:
        raise _unknown(entries, version, named)
    for tag, value in {**witness.tags, "run": witness.run_id}.items():
        now = version.run_id if tag == "run" else version.tags.get(tag)
        if now != value and tag not in WRITTEN_LATER:
            in_tags = tag != "run"
            raise Unlike(f"{named}: {tag} is {now!r} in the registry and {value!r} in the ledger", in_tags)
    folder = find_folder(home, tracking, version.slot, version.version, witness)
    _compare_files(named, folder, list_files(folder), witness.files)
    return witness, folder


def _compare_files(named: str, folder: Path, here: Mapping[str, str], registered: Mapping[str, str]) -> None:
    for name in registered:
        if name not in here:
            raise Unlike(f"{named}: its file {folder / name} is lost")
        if here[name] != registered[name]:
            raise Unlike(f"{named}: {folder / name} does not have the bytes that were registered")
    extra = next((name for name in here if name not in registered), None)
    if extra is not None:
        raise Unlike(f"{named}: {str(folder / extra)!r} was added to the files that were registered")


def _unknown(entries: Sequence[Entry], version: VersionSummary, named: str) -> Unwitnessed:
    about = [e for e in entries if (e.slot, e.version, e.action) == (version.slot, version.version, "withdraw")]
    if about:
        return Unwitnessed(f"{named} was withdrawn by ledger entry {about[-1].n}: {about[-1].why}", withdrawn=True)
    return Unwitnessed(f"{named} is not in the ledger, so that nothing says what its bytes are")


def witnessed_tags(version: VersionSummary, witness: Witness) -> dict[str, str]:
    """The tags that the ledger vouches for, and those that Packshot writes later."""
    later = {name: version.tags[name] for name in WRITTEN_LATER if name in version.tags}
    return {**witness.tags, **later}
