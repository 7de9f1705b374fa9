"""The check of the ledger: its file, its index and the heads on the registered models must say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from models.errors import LedgerError
from tasks.lineage.entries import WHOLE, Entry
from tasks.lineage.signing import ADOPT, LedgerKey

GENESIS = "0" * 64
RESTORE = "packshot lineage --restore"
"""Makes file, index and heads equal again, from that of them which holds."""


class Row(NamedTuple):
    """A row of the index: the entry's line, and whether its move is not finished yet."""

    n: int
    hash: str
    line: str
    pending: bool


class State(NamedTuple):
    """The finished entries, and the one whose move is not finished."""

    entries: list[Entry]
    pending: Entry | None = None

    @property
    def all(self) -> list[Entry]:
        """The entries as they will be once the pending one is finished."""
        return self.entries if self.pending is None else [*self.entries, self.pending]


class Broken(Exception):
    """What is wrong with one of the ledger's copies."""


def read_file(content: bytes, key: LedgerKey | None, *, unsigned: bool = False) -> list[Entry]:
    """The entries of the ledger's file; `unsigned` when none of them is signed, as older versions wrote them.

    Raises:
        Broken: names the first entry that was edited, removed, inserted or moved, or is not signed.
    """
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError as error:
        n = content[: error.start].count(b"\n") + 1
        raise Broken(f"entry {n} was edited: it is not text") from error
    if lines.pop():
        raise Broken(f"entry {len(lines) + 1} was edited: its line has no end")
    return follow(lines, key, unsigned=unsigned)


def read_index(rows: Sequence[Row], key: LedgerKey | None) -> State:
    """The entries of the ledger's index.

    Raises:
        Broken: names the first row that was edited, removed, inserted or moved, or is not signed.
    """
    entries = follow([row.line.removesuffix("\n") for row in rows], key)
    for row, entry in zip(rows, entries, strict=True):
        if (row.n, row.hash, row.line) != (entry.n, entry.hash, entry.line):
            raise Broken(f"entry {entry.n} was edited in the index")
        if row.pending and row is not rows[-1]:
            raise Broken(f"entry {entry.n} is marked as not finished, and later ones follow")
    return State(entries[:-1], entries[-1]) if rows and rows[-1].pending else State(entries)


def follow(lines: Sequence[str], key: LedgerKey | None, *, unsigned: bool = False) -> list[Entry]:
    """The entries of `lines`, after checking that each follows from the one before and is signed."""
    entries: list[Entry] = []
    previous = GENESIS
    for n, line in enumerate(lines, start=1):
        entry = parse(line, n)
        if entry.n != n:
            raise Broken(f"entry {n} is missing, inserted or moved: number {entry.n} stands in its place")
        if entry.line != f"{line}\n" or entry.hash != entry.digest():
            raise Broken(f"entry {n} was edited: its hash does not match what it says")
        if entry.previous_hash != previous:
            raise Broken(f"entry {n} does not follow from entry {n - 1}: one of them was replaced")
        entries.append(entry)
        previous = entry.hash
    if not unsigned:
        _check_signatures(entries, key)
    elif any(entry.key or entry.signature for entry in entries):
        raise Broken("entries are signed")
    return entries


def _check_signatures(entries: Sequence[Entry], key: LedgerKey | None) -> None:
    """All are signed by `key`, but those of an older version that an entry about the whole ledger took over."""
    first = next((at for at, entry in enumerate(entries) if entry.key or entry.signature), 0)
    if first and entries[first].slot != WHOLE:
        raise Broken(f"entry {first} is not signed, and entry {first + 1} is")
    for entry in entries[first:]:
        if not entry.signature or not entry.key:
            raise Broken(f"entry {entry.n} is not signed; an older version may have written it")
        if key is None:
            raise Broken(f"the key that signed entry {entry.n} is lost; put ledger.key back from a copy, or begin anew")
        if entry.key != key.public:
            raise Broken(f"entry {entry.n} was signed by another key; put ledger.key back from a copy, or begin anew")
        if not key.signed(entry.hash, entry.signature):
            raise Broken(f"entry {entry.n} was not signed by this installation")


def parse(line: str, n: int) -> Entry:
    """The entry that a line holds.

    Raises:
        Broken: the line is not an entry.
    """
    try:
        return Entry.model_validate_json(line)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ascii(".".join(str(part) for part in problem["loc"])[:40])[1:-1]
        raise Broken(f"entry {n} was edited: {where} {problem['msg']}".replace("  ", " ")) from error


def compare(file: list[Entry] | Broken, index: State | Broken) -> State:
    """The entries, when file and index are whole and equal.

    Raises:
        LedgerError: says what is wrong, and whether one of them can be restored from the other.
    """
    if isinstance(file, Broken):
        raise LedgerError(str(file), ADOPT if isinstance(index, Broken) or not index.entries else RESTORE) from file
    if isinstance(index, Broken):
        raise LedgerError(str(index), RESTORE) from index
    if file == index.entries:
        return index
    if file == index.all:  # the line is written, the mark not yet removed
        return State(file)
    shared = next((n for n, (ours, theirs) in enumerate(zip(file, index.all, strict=False)) if ours != theirs), None)
    if shared is not None:
        raise LedgerError(f"entry {shared + 1} was replaced: file and index differ", ADOPT)
    if len(file) < len(index.entries):
        raise LedgerError(
            f"entry {len(file) + 1} was removed, and all after it ({len(index.entries)} written)", RESTORE
        )
    if not index.all:
        raise LedgerError("lineage.db holds none of its entries; was it deleted?", RESTORE)
    raise LedgerError(f"entry {len(index.all) + 1} is in the file and not in the index", RESTORE)


def choose(file: list[Entry] | Broken, index: State | Broken) -> list[Entry]:
    """The copy to restore the other from: the one that holds; the longer one when both do.

    Raises:
        LedgerError: neither holds, or they contradict each other.
    """
    whole = index if isinstance(index, Broken) else index.entries
    both = sorted((copy for copy in (file, whole) if not isinstance(copy, Broken)), key=len)
    if not both or (not both[-1] and isinstance(file, Broken)) or both[-1][: len(both[0])] != both[0]:
        compare(file, index)
    return both[-1]


def head_of(key: LedgerKey, entry: Entry) -> str:
    """What a registered model says of its slot's last entry."""
    return f"{entry.n}:{entry.hash}:{key.sign(_statement(entry.slot, entry.n, entry.hash))}"


def check_heads(state: State, heads: Mapping[str, str | None], key: LedgerKey | None) -> None:
    """Compare what each registered model names as its slot's last entry with the ledger's.

    Raises:
        LedgerError: a head was forged or lost, or the ledger is older than a head.
    """
    for slot, head in heads.items():
        last = [entry for entry in state.entries if entry.slot == slot][-1:]
        allowed = last + ([state.pending] if state.pending and state.pending.slot == slot else [])
        n, digest, signed = _read_head(slot, head, key)
        if signed and any((entry.n, entry.hash) == (n, digest) for entry in allowed):
            continue
        if signed and not any(entry.hash == digest for entry in state.entries):
            raise LedgerError(f"entry {n} is missing, which the registered model {slot} names as written", ADOPT)
        if last:
            told = "an older entry" if signed else "no entry" if head is None else "a forged entry"
            raise LedgerError(f"the registered model {slot} names {told} as its last, not entry {last[0].n}", RESTORE)


def _read_head(slot: str, head: str | None, key: LedgerKey | None) -> tuple[int, str, bool]:
    n, _, rest = (head or "").partition(":")
    digest, _, signature = rest.partition(":")
    if key is None or not (n.isascii() and n.isdigit() and len(n) < 16):
        return 0, "", False
    return int(n), digest, key.signed(_statement(slot, int(n), digest), signature)


def _statement(slot: str, n: int, digest: str) -> str:
    return f"head of {slot}: {n}:{digest}"
