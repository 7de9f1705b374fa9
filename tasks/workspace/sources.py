"""The digest of code, remembered while no source changes: to parse a hundred files takes a second."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.workspace.code import OURS, Closure, digest_closure, digest_json, find_module, read_closure
from tasks.workspace.storage import digest_file, write_atomically

FILE = "code.json"


class Memory(BaseModel):
    """Closures by their roots, of the sources that have the digest `sources`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: str
    closures: dict[str, Closure] = {}


def recall_code(home: Path, *roots: str) -> str:
    """What `digest_code` returns for these roots."""
    memory, name = _read(home / FILE), " ".join(sorted(roots))
    if name not in memory.closures:
        closures = memory.closures | {name: read_closure(*roots)}
        memory = memory.model_copy(update={"closures": closures})
        write_atomically(home / FILE, memory.model_dump_json(indent=1).encode())
    return digest_closure(memory.closures[name])


def _read(path: Path) -> Memory:
    """What is remembered of the sources as they are now."""
    now = Memory(sources=digest_sources())
    try:
        kept = Memory.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):  # it is made again
        return now
    return kept if kept.sources == now.sources else now


def digest_sources() -> str:
    """32 hex digits over the bytes of all our modules."""
    found = {}
    for package in OURS:
        if init := find_module(package):
            for path in sorted(init.parent.rglob("*.py")):
                found[f"{package}/{path.relative_to(init.parent).as_posix()}"] = digest_file(path)
    return digest_json(found)
