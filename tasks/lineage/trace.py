"""Where something comes from and what was made from it: the answer to a lineage query, as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tasks.outlets.terminal import show

Kind = Literal["image", "version", "run", "prepared", "data", "validation", "commit", "flow_run", "report", "weights"]
LISTED_ATTRIBUTES = 4


class Ref(NamedTuple):
    """A node's name: its kind and its id within the kind."""

    kind: Kind
    id: str


@dataclass(frozen=True)
class Node:
    """A thing with a history; ids are digests, run ids, or `SLOT@N` for a version."""

    kind: Kind
    id: str
    attributes: Mapping[str, str | int | float | None] = field(default_factory=dict, compare=False)
    created: str = field(default="", compare=False)

    @property
    def ref(self) -> Ref:
        """The node's name."""
        return Ref(self.kind, self.id)

    def __str__(self) -> str:
        shown = [f"{name}={value}" for name, value in self.attributes.items() if value not in ("", None)]
        return " ".join([f"{self.kind} {self.id}", *shown[:LISTED_ATTRIBUTES]])


class Edge(NamedTuple):
    """`child` was made from `parent` in the given `role` (such as `trained by`)."""

    child: Ref
    parent: Ref
    role: str


class Images(NamedTuple):
    """How many images were made from one node, and the first few."""

    total: int
    first: list[Node]


@dataclass(frozen=True)
class Trace:
    """All ancestors and descendants of `focus`; images below it are counted, not listed."""

    focus: Node
    nodes: Mapping[Ref, Node]
    up: tuple[Edge, ...]
    down: tuple[Edge, ...]
    images: Mapping[Ref, Images]
    note: str = ""

    def ancestors(self) -> list[Node]:
        """What `focus` was made from, nearest first."""
        return [self.nodes[ref] for ref in dict.fromkeys(edge.parent for edge in self.up)]

    def descendants(self) -> list[Node]:
        """What was made from `focus`, nearest first, without the images."""
        return [self.nodes[ref] for ref in dict.fromkeys(edge.child for edge in self.down)]

    def to_text(self) -> str:
        """A tree for people: ancestors above, descendants below."""
        lines = [str(self.focus)]
        lines += [f"! {self.note}"] if self.note else []
        lines += ["made from:", *self._tree_up(self.focus.ref, "  ", set())] if self.up else []
        below = list(self._tree_down(self.focus.ref, "  ", set()))
        lines += ["became:", *below] if below else []
        return "\n".join(map(show, lines))

    def to_json(self) -> str:
        """The same for machines: `focus`, `note`, `ancestors`, `descendants`, `edges` and `images`."""
        answer = {
            "focus": _plain(self.focus),
            "note": self.note,
            "ancestors": [_plain(node) for node in self.ancestors()],
            "descendants": [_plain(node) for node in self.descendants()],
            "edges": [
                {"child": edge.child._asdict(), "parent": edge.parent._asdict(), "role": edge.role}
                for edge in (*self.up, *self.down)
            ],
            "images": [
                {"parent": ref._asdict(), "count": images.total, "first": [_plain(node) for node in images.first]}
                for ref, images in self.images.items()
            ],
        }
        return json.dumps(answer, indent=2)

    def _tree_up(self, ref: Ref, indent: str, shown: set[Ref]) -> Iterator[str]:
        for edge in self.up:
            if edge.child == ref:
                yield from self._branch(edge.parent, edge.role, indent, shown, up=True)

    def _tree_down(self, ref: Ref, indent: str, shown: set[Ref]) -> Iterator[str]:
        for edge in self.down:
            if edge.parent == ref:
                yield from self._branch(edge.child, edge.role, indent, shown, up=False)
        if ref in self.images:
            images = self.images[ref]
            yield f"{indent}{images.total} image{'' if images.total == 1 else 's'}, the first:"
            yield from (f"{indent}  {node}" for node in images.first)

    def _branch(self, ref: Ref, role: str, indent: str, shown: set[Ref], *, up: bool) -> Iterator[str]:
        again = " (see above)" if ref in shown else ""
        yield f"{indent}{role}: {self.nodes[ref]}{again}"
        if not again:
            shown.add(ref)
            yield from (self._tree_up if up else self._tree_down)(ref, indent + "  ", shown)


def _plain(node: Node) -> dict[str, object]:
    return {"kind": node.kind, "id": node.id, "attributes": dict(node.attributes), "created": node.created}
