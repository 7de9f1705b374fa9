"""The promotion ledger: an append-only, hash-chained, signed file of every version and every move of its aliases."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.schema import CreateTable, DropTable

from models.errors import LedgerError, StorageError
from tasks.lineage.chain import GENESIS, Broken, Row, State, check_heads, choose, compare, read_file, read_index
from tasks.lineage.entries import Entry, Intent, champions
from tasks.lineage.signing import ADOPT, LedgerKey, find_key, make_key
from tasks.lineage.tables import LineageDatabase, ledger_entries
from tasks.workspace.storage import set_aside, write_private

Read = TypeVar("Read")
PASSING = ("locked", "disk full", "no inode left")
"""What is said of a database that another process keeps to itself, or whose disk has no room: nothing to mend."""


class Ledger:
    """`HOME/ledger.jsonl`, with a copy of each entry in `HOME/lineage.db`, all signed by `HOME/ledger.key`.

    An entry is written to the index first, as pending, then the registry is moved, then the line is written and the
    pending mark removed. So the file is never ahead of its index.
    """

    def __init__(self, home: Path, database: LineageDatabase | None = None) -> None:
        self.path = home / "ledger.jsonl"
        self.lock = home / "locks" / "ledger.lock"
        self._home = home
        self._database = database or LineageDatabase(home)

    def entries(self) -> list[Entry]:
        """All finished entries, checked.

        Raises:
            LedgerError: file and index are not whole, signed and equal; it names the first bad entry.
        """
        return self.read().entries

    def read(self) -> State:
        """The finished entries and the pending one, read consistently and checked.

        Raises:
            LedgerError: file and index are not whole, signed and equal; it names the first bad entry.
        """
        return compare(*self._read_both())

    def verify(self, heads: Mapping[str, str | None]) -> State:
        """Check file, index and `heads` (slot -> what its registered model names as its last entry).

        Raises:
            LedgerError: names the first entry that was edited, removed, inserted or moved.
        """
        return self.check(self.read(), heads)

    def check(self, state: State, heads: Mapping[str, str | None]) -> State:
        """Check `heads` against what was read.

        Raises:
            LedgerError: a head was forged or lost, or the ledger is older than a head.
        """
        check_heads(state, heads, find_key(self._home))
        return state

    def key(self) -> LedgerKey:
        """The key of the installation, made when the ledger has no entries yet.

        Raises:
            LedgerError: the key is lost, damaged, or open to others.
        """
        found = find_key(self._home)
        if found is None and self.path.exists():
            raise LedgerError(f"{self._home}/ledger.key is lost; put it back from a copy, or begin anew", ADOPT)
        return found or make_key(self._home)

    def begin(self, intent: Intent) -> Entry:
        """Write the next entry to the index as pending, under `lock`; `finish` it once the registry was moved."""
        entry = extend(self.entries(), intent, self.key())
        with self._database.begin() as connection:
            # A crash may have come just after the last line was written.
            connection.execute(update(ledger_entries).where(ledger_entries.c.n < entry.n).values(pending=False))
            connection.execute(insert(ledger_entries).values(_row(entry, pending=True)))
        return entry

    def finish(self, entry: Entry) -> None:
        """Write the pending entry's line, unless a crash came just after it was written, and remove the mark."""
        content = self._content()
        if not content.endswith(entry.line.encode()):
            write_private(self.path, content + entry.line.encode())  # an append could leave half a line
        with self._database.begin() as connection:
            connection.execute(update(ledger_entries).where(ledger_entries.c.n == entry.n).values(pending=False))

    def cancel(self, entry: Entry) -> None:
        """Drop a pending entry whose move the registry refused."""
        with self._database.begin() as connection:
            connection.execute(
                delete(ledger_entries).where(ledger_entries.c.n == entry.n, ledger_entries.c.pending.is_(True))
            )

    def champion(self, slot: str) -> int | None:
        """The slot's champion by the ledger."""
        return next(iter(champions(self.entries(), slot)[-1:]), None)

    def restore(self) -> list[Entry]:
        """Write file and index anew from that of them which holds; what is damaged is kept beside it.

        Raises:
            LedgerError: neither holds, or they contradict each other.
        """
        file, index = self._read_both()
        entries = choose(file, index)
        pending = None if isinstance(index, Broken) or index.entries != entries else index.pending
        self._write(State(entries, pending), whole=entries == file)
        return entries

    def begin_anew(self, entries: Sequence[Entry]) -> None:
        """Replace file and index by `entries`; the file that was there is kept beside it."""
        self._write(State(list(entries)), whole=False)

    def keep(self) -> list[Entry]:
        """What can be kept of a ledger that is begun anew: all that is signed, or all that an older version wrote."""
        try:
            return self.entries()
        except LedgerError:
            content = self._try_content()
            kept = [] if isinstance(content, Broken) else _attempt(read_file, content, None, unsigned=True)
            return [] if isinstance(kept, Broken) else kept

    def _write(self, state: State, *, whole: bool) -> None:
        if not whole:
            set_aside(self.path)
            write_private(self.path, "".join(entry.line for entry in state.entries).encode())
        try:
            self._write_index(state)
        except StorageError as error:
            if any(reason in str(error) for reason in PASSING):
                raise
            for path in sorted(self._home.glob("lineage.db*")):
                set_aside(path)
            self._database = LineageDatabase(self._home)
            self._write_index(state)

    def _write_index(self, state: State) -> None:
        rows = [_row(entry, pending=entry is state.pending) for entry in state.all]
        with self._database.begin() as connection:
            connection.execute(DropTable(ledger_entries, if_exists=True))
            connection.execute(CreateTable(ledger_entries))
            if rows:
                connection.execute(insert(ledger_entries), rows)

    def _content(self) -> bytes:
        """The file's bytes.

        Raises:
            Broken: it is not a file of this folder.
        """
        if self.path.is_symlink():
            raise Broken("ledger.jsonl is a link to another place")
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise Broken(f"ledger.jsonl cannot be read: {error.strerror}") from error

    def _read_both(self) -> tuple[list[Entry] | Broken, State | Broken]:
        """File and index, read consistently: again while a move is changing them."""
        key = find_key(self._home)
        before = self._rows()
        while True:
            content = self._try_content()
            after = self._rows()
            if before == after:
                file = content if isinstance(content, Broken) else _attempt(read_file, content, key)
                return file, Broken(after) if isinstance(after, str) else _attempt(read_index, after, key)
            before = after

    def _try_content(self) -> bytes | Broken:
        try:
            return self._content()
        except Broken as broken:
            return broken

    def _rows(self) -> list[Row] | str:
        """The rows of the index, or why there are none to be had.

        Raises:
            StorageError: another process keeps the database to itself.
        """
        try:
            with self._database.begin() as connection:
                found = list[Any](connection.execute(select(ledger_entries).order_by(ledger_entries.c.n)).all())
        except StorageError as error:
            if any(reason in str(error) for reason in PASSING):
                raise
            return str(error).removesuffix("; see packshot doctor")
        except (TypeError, ValueError):  # a value of another type than its column's
            found = [("",) * 4]
        if not all(isinstance(row[0], int) and isinstance(row[1], str) and isinstance(row[2], str) for row in found):
            return "a row of the index in lineage.db is not an entry"
        return [Row(*row) for row in found]


def _attempt(read: Callable[..., Read], *given: object, **options: bool) -> Read | Broken:
    """What `read` gives, or why it gives nothing."""
    try:
        return read(*given, **options)
    except Broken as broken:
        return broken


def extend(entries: Sequence[Entry], intent: Intent, key: LedgerKey) -> Entry:
    """The signed entry that follows `entries`."""
    draft = Entry(
        **dict(intent),
        n=len(entries) + 1,
        time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        previous_hash=entries[-1].hash if entries else GENESIS,
        key=key.public,
    )
    digest = draft.digest()
    return draft.model_copy(update={"hash": digest, "signature": key.sign(digest)})


def _row(entry: Entry, *, pending: bool) -> dict[str, object]:
    return {"n": entry.n, "hash": entry.hash, "line": entry.line, "pending": pending}
