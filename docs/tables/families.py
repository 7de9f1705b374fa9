"""Tables of the families, and of what docs/benchmarks.md says of each."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from markdown.extensions.toc import slugify

from docs.tables.cells import DOCS, Words, code, table
from models.families.discovery import find_families, load_family
from models.families.family import Family

NO_FIGURES = "Not in the [benchmarks](../benchmarks.md): `packshot leaderboard` ranks what you trained."


@cache
def families() -> dict[str, type[Family]]:
    """Every family's class by its name."""
    return {name: load_family(name) for name in find_families()}


def generating() -> dict[str, type[Family]]:
    """Those that make images of noise."""
    return {name: kind for name, kind in families().items() if kind.capability == "generate"}


def editing() -> dict[str, type[Family]]:
    """Those that edit photographs."""
    return {name: kind for name, kind in families().items() if name not in generating()}


def write_generating(words: Words) -> str:
    """The families that generate."""
    rows = [(code(name), words.say("families", name, kind.title)) for name, kind in generating().items()]
    return table(words.header("family", "what it is"), rows)


def write_editing(words: Words) -> str:
    """The families that edit."""
    rows = [
        (code(name), code(kind.capability), words.say("families", name, kind.title)) for name, kind in editing().items()
    ]
    return table(words.header("family", "for the operation", "what it is"), rows)


class Benchmark(NamedTuple):
    """A table of docs/benchmarks.md: its title, its header and its rows."""

    title: str
    header: list[str]
    rows: list[list[str]]


@cache
def benchmarks() -> list[Benchmark]:
    """The tables of docs/benchmarks.md."""
    found = []
    for section in (DOCS / "benchmarks.md").read_text().split("\n## ")[1:]:
        lines = [
            line.removeprefix("| ").removesuffix(" |").split(" | ") for line in section.split("\n") if line[:1] == "|"
        ]
        if lines:
            found.append(Benchmark(section.split("\n", 1)[0], lines[0], lines[2:]))
    return found


def write_figures(family: str, words: Words) -> str:
    """The rows of docs/benchmarks.md that are about a family."""
    parts = []
    for title, header, rows in benchmarks():
        about = rows if family in header else [row for row in rows if any(is_about(cell, family) for cell in row)]
        if about:
            parts += [f"[{title}](../benchmarks.md#{slugify(title, '-')})", table(header, about)]
    return "\n\n".join(parts) or NO_FIGURES


def is_about(cell: str, family: str) -> bool:
    """Whether a cell names the family, perhaps with a word more."""
    return cell == family or cell.startswith(f"{family},")
