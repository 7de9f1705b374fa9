"""The tables of `lineage.db`: nodes, edges, and the index of the promotion ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from tasks.workspace.storage import explain_database_error, locked, make_private

BUSY_MILLISECONDS = 30_000
LOCK_SECONDS = 600.0

metadata = MetaData()
nodes = Table(
    "nodes",
    metadata,
    Column("kind", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("attributes", JSON, nullable=False),
    Column("created", String, nullable=False),
)
edges = Table(
    "edges",
    metadata,
    Column("child_kind", String, primary_key=True),
    Column("child_id", String, primary_key=True),
    Column("parent_kind", String, primary_key=True),
    Column("parent_id", String, primary_key=True),
    Column("role", String, primary_key=True),
)
ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("hash", String, nullable=False),
    Column("line", String, nullable=False),
    Column("pending", Boolean, nullable=False, comment="the move is not finished, the file lacks the line"),
)
Index("nodes_by_id", nodes.c.id)
Index("edges_by_parent", edges.c.parent_kind, edges.c.parent_id, edges.c.child_kind)


class LineageDatabase:
    """`HOME/lineage.db`: SQLite with a write-ahead log, so that readers never wait for a writer."""

    def __init__(self, home: Path) -> None:
        self.path = home / "lineage.db"
        self._engine: Engine | None = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction, committed at the end.

        Raises:
            StorageError: the database cannot be opened or written, or is not a database.
        """
        try:
            with self._open().begin() as connection:
                yield connection
        except DatabaseError as error:
            raise explain_database_error(str(error.orig), self.path) from error

    def _open(self) -> Engine:
        if self._engine is None:
            make_private(self.path.parent)
            engine = create_engine(f"sqlite:///{self.path}", poolclass=NullPool)
            event.listen(engine, "connect", _configure)
            # Two processes that switch a new file to its write-ahead log at once are refused, however long they wait.
            lock = locked(self.path.parent / "locks" / "lineage.lock", LOCK_SECONDS, "creating lineage.db")
            with lock, engine.begin() as connection:
                for table in metadata.sorted_tables:
                    connection.execute(CreateTable(table, if_not_exists=True))
                    for index in table.indexes:
                        connection.execute(CreateIndex(index, if_not_exists=True))
            self._engine = engine
        return self._engine


def _configure(connection: SqliteConnection, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
