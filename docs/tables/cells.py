"""What the tables are made of: cells, rows, and the words of a language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


class Words(NamedTuple):
    """How a language calls what the code has a title for; what it has no word for stays as the code says it."""

    known: Mapping[str, Mapping[str, str]]

    def say(self, kind: str, name: str, text: str) -> str:
        """The language's words for the `name` among `kind`, else `text`."""
        return self.known.get(kind, {}).get(name, text)

    def header(self, *columns: str) -> list[str]:
        """The titles of a table's columns."""
        return [self.say("columns", column, column) for column in columns]


Writer = Callable[[Words], str]
"""Writes one region in a language's words."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(value: object) -> str:
    """A name or a value as code; nothing for nothing."""
    return f"`{value}`" if str(value) else ""


def escape(text: str) -> str:
    """Text in which brackets are brackets, and no link."""
    return text.replace("[", "\\[")
