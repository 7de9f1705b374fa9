"""The lineage index: what was made from what, recorded as it happens and traced both ways."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.sqlite import insert

from models.errors import InputError, LedgerError
from tasks.lineage.entries import find_witness
from tasks.lineage.ledger import Ledger
from tasks.lineage.tables import LineageDatabase, edges, nodes
from tasks.lineage.trace import Edge, Images, Kind, Node, Ref, Trace
from tasks.photos.photo_file import load_photo
from tasks.provenance.embedded import find_own

FORMS = (
    "a generated file, SLOT@N, SLOT@champion, models:/SLOT/N, a run id, a data md5, or any other recorded id "
    "(or its first 6 characters and more)"
)
SHORTEST_PREFIX = 6
FIRST_IMAGES = 5
CHUNK = 400
MANY = 10
Attributes = dict[str, str | int | float | None]


class Parent(NamedTuple):
    """A node's parent and its role (`trained by`, `prepared from`, ...)."""

    node: Node
    role: str


class Derivation(NamedTuple):
    """A node with its parents, to be recorded."""

    node: Node
    parents: Sequence[Parent] = ()


class Lineage:
    """The index of one checkout, in `HOME/lineage.db`; many processes may write."""

    def __init__(self, home: Path) -> None:
        self._database = LineageDatabase(home)
        self._ledger = Ledger(home, self._database)

    def record(self, node: Node, parents: Sequence[Parent] = ()) -> None:
        """Record `node` and its parents; repeating it changes nothing but adds new attributes."""
        self.record_all([Derivation(node, parents)])

    def record_all(self, made: Iterable[Derivation]) -> None:
        """Record many nodes in one transaction, such as the images of one run."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        node_rows: list[dict[str, object]] = []
        edge_rows: list[dict[str, object]] = []
        for node, parents in made:
            for one in (*(parent.node for parent in parents), node):
                row: dict[str, object] = {
                    "kind": one.kind,
                    "id": one.id,
                    "attributes": dict(one.attributes),
                    "created": one.created or now,
                }
                node_rows.append(row)
            edge_rows += [_edge_row(Edge(node.ref, parent.node.ref, parent.role)) for parent in parents]
        with self._database.begin() as connection:
            _upsert(connection, node_rows, edge_rows)

    def trace(self, x: str) -> Trace:
        """Everything `x` was made from and everything made from it.

        Raises:
            InputError: nothing is known by that name (the message lists the accepted forms), or several things are.
        """
        focus, note = self._find(x)
        with self._database.begin() as connection:
            up = _walk(connection, focus.ref, upward=True)
            down = _walk(connection, focus.ref, upward=False)
            refs = {focus.ref, *(ref for edge in (*up, *down) for ref in (edge.child, edge.parent))}
            found = _load(connection, refs)
            below = {focus.ref, *(edge.child for edge in down)}
            images = {ref: seen for ref in below if (seen := _images_of(connection, ref)).total}
        return Trace(focus, found, tuple(up), tuple(down), images, note or self._doubt(found.values()))

    def _doubt(self, found: Iterable[Node]) -> str:
        """What the index says of a version and the ledger does not; empty when they agree."""
        versions = [node for node in found if node.kind == "version"]
        try:
            entries = self._ledger.entries() if versions else []
        except LedgerError as error:
            return str(error)
        for node in versions:
            slot, _, number = node.id.rpartition("@")
            witness = find_witness(entries, slot, int(number)) if number.isdecimal() else None
            for name in ("family", "onnx_sha256"):
                said, told = node.attributes.get(name), witness.tags.get(name) if witness else None
                if None not in (said, told) and said != told:
                    return f"{name} of {node.id} is {said} in the index and {told} in the ledger; trust the ledger"
        return ""

    def _find(self, x: str) -> tuple[Node, str]:
        if Path(x).is_file():
            return self._find_file(Path(x))
        slot, _, version = re.sub(r"^models:/([^/@]+)/", r"\1@", x).removeprefix("models:/").partition("@")
        if version == "champion":
            version = str(self._ledger.champion(slot) or version)
        name = f"{slot}@{version}" if version else x
        return self._named(x, name), ""

    def _find_file(self, path: Path) -> tuple[Node, str]:
        """The image with the file's bytes, else the nearest thing in the index that its own record names."""
        photo = load_photo(path)
        digest = photo.sha256
        with self._database.begin() as connection:
            exact = _load(connection, {Ref("image", digest)})
            if exact:
                return next(iter(exact.values())), ""
            own = find_own(photo)
            if own is None:
                raise InputError("X", str(path), f"{FORMS}; this file is not in the index and holds no provenance")
            named = [Ref(link.kind, link.parent) for link in own.links(digest)]
            known = _load(connection, set(named))
        note = f"{path} is not in the index (made elsewhere, or altered); its record says {own.says}"
        found = next((known[ref] for ref in named if ref in known), None)
        if found is None:
            raise InputError("X", str(path), f"{FORMS}; {note}, which is not in the index either")
        return found, note

    def _named(self, x: str, name: str) -> Node:
        is_prefix = len(name) >= SHORTEST_PREFIX and "@" not in name  # slot@1 must not match slot@12
        upper = name + "\U0010ffff" if is_prefix else name
        query = select(nodes).where(nodes.c.id >= name, nodes.c.id <= upper).limit(MANY)
        with self._database.begin() as connection:
            found = [_node(row) for row in connection.execute(query)]
        exact = [node for node in found if node.id == name]
        matches = exact or found
        if not matches:
            raise InputError("X", x, FORMS)
        if len(matches) > 1:
            raise InputError("X", x, "more characters, for it may be " + ", ".join(f"{n.kind} {n.id}" for n in matches))
        return matches[0]


def _upsert(connection: Connection, node_rows: list[dict[str, object]], edge_rows: list[dict[str, object]]) -> None:
    """Insert new nodes; for known ones keep the first creation time and merge the attributes."""
    statement = insert(nodes)
    merged = func.json_patch(nodes.c.attributes, statement.excluded.attributes)
    if node_rows:
        connection.execute(
            statement.on_conflict_do_update(index_elements=["kind", "id"], set_={"attributes": merged}), node_rows
        )
    if edge_rows:
        connection.execute(insert(edges).on_conflict_do_nothing(), edge_rows)


def _walk(connection: Connection, start: Ref, *, upward: bool) -> list[Edge]:
    """The edges from `start` to all ancestors, or to all descendants but images, level by level."""
    here, seen, found = [start], {start}, list[Edge]()
    near = (edges.c.child_kind, edges.c.child_id) if upward else (edges.c.parent_kind, edges.c.parent_id)
    while here:
        level = []
        for kind, ids in _by_kind(here):
            query = select(edges).where(near[0] == kind, near[1].in_(ids))
            query = (
                query if upward else query.where(edges.c.child_kind.in_([k for k in get_args(Kind) if k != "image"]))
            )
            level += [_edge(row) for row in connection.execute(query)]
        found += level
        here = list(dict.fromkeys(ref for e in level if (ref := e.parent if upward else e.child) not in seen))
        seen.update(here)
    return found


def _images_of(connection: Connection, ref: Ref) -> Images:
    of_ref = (edges.c.parent_kind == ref.kind, edges.c.parent_id == ref.id, edges.c.child_kind == "image")
    count = connection.execute(select(func.count()).select_from(edges).where(*of_ref)).scalar_one()
    ids = select(edges.c.child_id).where(*of_ref).limit(FIRST_IMAGES) if count else None
    if ids is None:
        return Images(0, [])
    rows = connection.execute(select(nodes).where(nodes.c.kind == "image", nodes.c.id.in_(ids)))
    return Images(count, [_node(row) for row in rows])


def _load(connection: Connection, refs: set[Ref]) -> dict[Ref, Node]:
    found = dict[Ref, Node]()
    for kind, ids in _by_kind(sorted(refs)):
        query = select(nodes).where(nodes.c.kind == kind, nodes.c.id.in_(ids))
        found.update({(node := _node(row)).ref: node for row in connection.execute(query)})
    return found


def _by_kind(refs: Iterable[Ref]) -> Iterator[tuple[str, list[str]]]:
    """The ids of each kind, at most `CHUNK` at a time: SQLite scans the whole table for a list of pairs."""
    ids = defaultdict[str, list[str]](list)
    for ref in refs:
        ids[ref.kind].append(ref.id)
    for kind, of_kind in ids.items():
        for first in range(0, len(of_kind), CHUNK):
            yield kind, of_kind[first : first + CHUNK]


def _node(row: Row[tuple[object, ...]]) -> Node:
    return Node(row.kind, row.id, row.attributes, row.created)


def _edge(row: Row[tuple[object, ...]]) -> Edge:
    return Edge(Ref(row.child_kind, row.child_id), Ref(row.parent_kind, row.parent_id), row.role)


def _edge_row(edge: Edge) -> dict[str, object]:
    return {
        "child_kind": edge.child.kind,
        "child_id": edge.child.id,
        "parent_kind": edge.parent.kind,
        "parent_id": edge.parent.id,
        "role": edge.role,
    }


def name_file(root: Path, path: Path) -> str:
    """A file's path as the index keeps it: as seen from the checkout where it is inside, so that both can move."""
    found = path.resolve()
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else str(found)


def _origin(commit: str, flow_run: str) -> list[Parent]:
    parents = [Parent(Node("commit", commit), "code at")] if commit else []
    return parents + ([Parent(Node("flow_run", flow_run), "started by")] if flow_run else [])
