"""What the ledger says: an entry for each version that was registered and each move of an alias."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Action = Literal["register", "adopt", "withdraw", "promote", "rollback", "challenge"]
Number = Annotated[int, Field(ge=0, lt=2**53)]
SINCE_SIGNING = ("witness", "model", "key")
"""Fields that entries of older versions lack, and so do their hashes."""
WHOLE = "*"
"""The slot of an entry about the ledger itself."""


class Witness(BaseModel):
    """What a version is: SHA-256 of all of its files by their paths, and the tags and run that say where it is from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    files: dict[str, str]
    tags: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 over files and provenance."""
        return digest_of(self.model_dump())


class Intent(BaseModel):
    """What an entry does, who asked for it and why; `previous` is the version that loses the alias.

    `witness` is what a registered or adopted version is, `model` the digest of it that a move is about.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str
    action: Action
    version: Number
    previous: Number | None
    who: str
    why: str
    figures: dict[str, float] = {}
    witness: Witness | None = None
    model: str = ""


class Entry(Intent):
    """A recorded entry.

    `hash` is SHA-256 over the canonical JSON of all other fields, including the previous hash, and `signature` that of
    the hash by `key`.
    """

    n: Number
    time: str
    previous_hash: str
    key: str = ""
    hash: str = ""
    signature: str = ""

    def digest(self) -> str:
        """The correct value of `hash`."""
        return digest_of(self._said(exclude={"hash", "signature"}))

    @property
    def line(self) -> str:
        """The entry as a line of the file."""
        return canonical(self._said(exclude=set() if self.signature else {"signature"})) + "\n"

    def _said(self, exclude: set[str]) -> dict[str, object]:
        said = self.model_dump(exclude=exclude)
        return {name: value for name, value in said.items() if value or name not in SINCE_SIGNING}


def canonical(value: Mapping[str, object]) -> str:
    """The one JSON text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def digest_of(value: Mapping[str, object]) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def champions(entries: Sequence[Entry], slot: str) -> list[int]:
    """The slot's champions that can be rolled back to, oldest first; the last is the current champion.

    A number that was registered again, or withdrawn, is not the version that was champion.
    """
    stack: list[int] = []
    for entry in entries:
        if entry.slot != slot or entry.action in ("adopt", "challenge"):
            continue
        if entry.action in ("register", "withdraw"):
            stack = [version for version in stack if version != entry.version]
            continue
        stack = stack[:-1] if entry.action == "rollback" else stack
        stack += [entry.version] if stack[-1:] != [entry.version] else []  # a lost alias was restored
    return stack


def previous_champion(entries: Sequence[Entry], slot: str) -> int | None:
    """The champion before the current one, which a rollback restores."""
    return next(iter(champions(entries, slot)[-2:-1]), None)


def challenger(entries: Sequence[Entry], slot: str) -> int | None:
    """The slot's challenger by the ledger; one that became champion, was withdrawn or registered again is none."""
    found: int | None = None
    for entry in entries:
        if entry.slot == slot and entry.action == "challenge":
            found = entry.version
        elif entry.slot == slot and entry.version == found and entry.action != "adopt":
            found = None
    return found


def find_witness(entries: Sequence[Entry], slot: str, version: int) -> Witness | None:
    """What the ledger says a version is; None when it was never registered or was withdrawn."""
    about = ("register", "adopt", "withdraw")
    told = (e for e in reversed(entries) if e.slot == slot and e.version == version and e.action in about)
    last = next(told, None)
    return last.witness if last else None
