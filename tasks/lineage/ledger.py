"""The promotion ledger: an append-only, hash-chained file of every move of a champion or challenger."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.sqlite import insert

from models.errors import LedgerError
from tasks.lineage.tables import LineageDatabase, anchors
from tasks.workspace.storage import storage_errors, write_atomically

Action = Literal["promote", "rollback", "challenge"]
GENESIS = "0" * 64


class Intent(BaseModel):
    """What a move does, who asked for it and why; `previous` is the version that loses the alias."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str
    action: Action
    version: int
    previous: int | None
    who: str
    why: str
    figures: dict[str, float] = {}


class Entry(Intent):
    """A recorded move; `hash` is SHA-256 over the canonical JSON of all other fields, including the previous hash."""

    n: int
    time: str
    previous_hash: str
    hash: str = ""

    def digest(self) -> str:
        """The correct value of `hash`."""
        text = json.dumps(self.model_dump(exclude={"hash"}), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def line(self) -> str:
        """The entry as a line of the file."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":")) + "\n"


class Ledger:
    """`HOME/ledger.jsonl`, with the hash of each entry anchored in `HOME/lineage.db`.

    An entry is anchored first, with its whole line as `pending`, then the registry is moved, then the line is written
    and the pending mark removed. So the file is never ahead of its anchors: an extra line is forged, a missing one is
    either the one pending entry, which `finish` writes, or was cut off.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "ledger.jsonl"
        self.lock = home / "locks" / "ledger.lock"
        self._database = LineageDatabase(home)

    def entries(self) -> list[Entry]:
        """All finished entries, checked.

        Raises:
            LedgerError: the chain is broken; the message names the first bad entry.
        """
        return self._entries_and_pending()[0]

    def verify(self, heads: Mapping[str, str]) -> list[Entry]:
        """Check chain, anchors and `heads` (where each was stored -> `n:hash`); returns the entries.

        Raises:
            LedgerError: names the first entry that was edited, removed, inserted or moved.
        """
        return self._compare(self.entries(), heads)

    def restore_anchors(self, heads: Mapping[str, str]) -> list[Entry]:
        """Anchor the file's entries again after `lineage.db` was lost, if `heads` vouch for the last one.

        Raises:
            LedgerError: there are anchors, the chain is broken, or no head names its last entry.
        """
        lines, anchored, _ = self._snapshot()
        if anchored:
            raise LedgerError(f"ledger: {len(anchored)} entries are anchored, there is nothing to restore")
        parsed = [parse(line, n) for n, line in enumerate(lines, start=1)]
        entries = self._compare(check(lines, {entry.n: entry.hash for entry in parsed}), heads)
        if entries and f"{entries[-1].n}:{entries[-1].hash}" not in heads.values():
            raise LedgerError(
                f"ledger: no registered model names entry {entries[-1].n}, it may have been added by hand"
            )
        with self._database.begin() as connection:
            for entry in entries:
                connection.execute(insert(anchors).values(n=entry.n, hash=entry.hash))
        return entries

    def _compare(self, entries: list[Entry], heads: Mapping[str, str]) -> list[Entry]:
        for place, head in heads.items():
            n, _, digest = head.partition(":")
            if not n.isdigit() or int(n) > len(entries):
                raise LedgerError(f"ledger: entry {n} is missing, which {place} names as written ({self.path})")
            if entries[int(n) - 1].hash != digest:
                raise LedgerError(f"ledger: entry {n} is not the one that {place} names ({self.path})")
        return entries

    def pending(self) -> Entry | None:
        """The move that was begun but not finished, if any."""
        return self._anchors()[1]

    def begin(self, intent: Intent) -> Entry:
        """Anchor the next entry as pending; `finish` it once the registry was moved. Hold `lock` around both."""
        entries = self.entries()
        draft = Entry(
            **intent.model_dump(),
            n=len(entries) + 1,
            time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            previous_hash=entries[-1].hash if entries else GENESIS,
        )
        entry = draft.model_copy(update={"hash": draft.digest()})
        with self._database.begin() as connection:
            connection.execute(insert(anchors).values(n=entry.n, hash=entry.hash, pending=entry.line))
        return entry

    def finish(self, entry: Entry) -> None:
        """Write the pending entry's line, unless a crash came just after it was written, and remove the mark."""
        lines = self._lines()
        if len(lines) < entry.n:
            content = "".join(f"{line}\n" for line in lines) + entry.line
            write_atomically(self.path, content.encode())  # an append could leave half a line
        with self._database.begin() as connection:
            connection.execute(update(anchors).where(anchors.c.n == entry.n).values(pending=None))

    def cancel(self, entry: Entry) -> None:
        """Drop a pending entry whose move the registry refused."""
        with self._database.begin() as connection:
            connection.execute(delete(anchors).where(anchors.c.n == entry.n, anchors.c.pending.is_not(None)))

    def champion(self, slot: str) -> int | None:
        """The slot's champion by the ledger."""
        return next(iter(champions(self.entries(), slot)[-1:]), None)

    def champions_allowed(self, slot: str) -> list[int]:
        """The ledger's champion, and that of a move in progress; empty when there is none."""
        entries, pending = self._entries_and_pending()
        moves = [entries] if pending is None else [entries, [*entries, pending]]
        return [version for some in moves for version in champions(some, slot)[-1:]]

    def _lines(self) -> list[str]:
        with storage_errors(self.path):
            return self.path.read_text().splitlines() if self.path.exists() else []

    def _entries_and_pending(self) -> tuple[list[Entry], Entry | None]:
        """The finished entries, and the one whose line is not yet written, read consistently."""
        lines, anchored, pending = self._snapshot()
        if pending is not None and pending.n <= len(lines):
            pending = None
        if pending is not None:
            del anchored[pending.n]
        return check(lines, anchored), pending

    def _snapshot(self) -> tuple[list[str], dict[int, str], Entry | None]:
        """A consistent view of lines and anchors: read again while a move is changing them."""
        before = self._anchors()
        while True:
            lines = self._lines()
            after = self._anchors()
            if before == after:
                return lines, *after
            before = after

    def _anchors(self) -> tuple[dict[int, str], Entry | None]:
        with self._database.begin() as connection:
            rows = connection.execute(select(anchors).order_by(anchors.c.n)).all()
        pending = next((Entry.model_validate_json(row.pending) for row in rows if row.pending), None)
        return {row.n: row.hash for row in rows}, pending


def check(lines: Sequence[str], anchored: Mapping[int, str]) -> list[Entry]:
    """The entries of `lines`, after checking that each follows from the one before and matches its anchor.

    Raises:
        LedgerError: names the first entry that fails, and how.
    """
    if lines and not anchored:
        raise LedgerError(
            "ledger: lineage.db holds none of its anchors; was it deleted? packshot lineage --restore anchors it again"
        )
    entries: list[Entry] = []
    previous = GENESIS
    for n, line in enumerate(lines, start=1):
        entry = parse(line, n)
        if entry.n != n:
            raise LedgerError(f"ledger: entry {n} is missing, inserted or moved: number {entry.n} stands in its place")
        if entry.line.rstrip("\n") != line or entry.hash != entry.digest():
            raise LedgerError(f"ledger: entry {n} was edited: its hash does not match what it says")
        if entry.previous_hash != previous:
            raise LedgerError(f"ledger: entry {n} does not follow from entry {n - 1}: one of them was replaced")
        if anchored.get(n) != entry.hash:
            raise LedgerError(f"ledger: entry {n} was {'replaced' if n in anchored else 'added'} outside Packshot")
        entries.append(entry)
        previous = entry.hash
    if len(anchored) > len(entries):
        raise LedgerError(
            f"ledger: entry {len(entries) + 1} was removed, and all after it ({len(anchored)} were written)"
        )
    return entries


def parse(line: str, n: int) -> Entry:
    """The entry that a line of the file holds.

    Raises:
        LedgerError: the line is not an entry.
    """
    try:
        return Entry.model_validate_json(line)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise LedgerError(f"ledger: entry {n} was edited: {where} {problem['msg']}".replace("  ", " ")) from error


def champions(entries: Sequence[Entry], slot: str) -> list[int]:
    """The slot's champions that can be rolled back to, oldest first; the last is the current champion."""
    stack: list[int] = []
    for entry in entries:
        if entry.slot == slot and entry.action == "promote":
            stack += [entry.version] if stack[-1:] != [entry.version] else []  # a lost alias was restored
        elif entry.slot == slot and entry.action == "rollback":
            stack.pop()
    return stack


def previous_champion(entries: Sequence[Entry], slot: str) -> int | None:
    """The champion before the current one, which a rollback restores."""
    return next(iter(champions(entries, slot)[-2:-1]), None)
