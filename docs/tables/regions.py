"""The regions between `<!-- generated: NAME -->` and `<!-- end -->`: what writes each, and where they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import yaml

from docs.tables import commands, editing, families, parameters
from docs.tables.cells import DOCS, ROOT, Words, Writer, code

CHINESE = ".zh-CN.md"
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NAMED: dict[str, Callable[[], Mapping[str, object]]] = {
    "generating families": families.generating,
    "editing families": families.editing,
    "markets": editing.markets,
}
REGION = re.compile(r"(<!-- generated: (.+?) -->)(.*?)(<!-- end -->)", re.DOTALL)


def write_names(subject: str, words: Words) -> str:
    """What there is of something, by name, within a line."""
    return words.say("joints", "comma", ", ").join(code(name) for name in NAMED[subject]())


def write_number(subject: str, words: Words) -> str:
    """How many there are of something, as a word."""
    count = len(NAMED[subject]())
    english = NUMBERS[count] if count < len(NUMBERS) else str(count)
    return words.say("numbers", english, english)


WRITERS: dict[str, Writer] = {
    "commands": commands.write_commands,
    "decisions": commands.write_decisions,
    "editing families": families.write_editing,
    "flows": commands.write_flows,
    "generating families": families.write_generating,
    "market rules": editing.write_rules,
    "markets": editing.write_markets,
    "operation parameters": parameters.write_operations,
    "operations": editing.write_operations,
    "settings": commands.write_settings,
}
WRITERS_OF: dict[str, Callable[[str, Words], str]] = {
    "figures": families.write_figures,
    "names": write_names,
    "number": write_number,
    "parameters": parameters.write_parameters,
}


def list_documents() -> list[Path]:
    """The files that may have such regions."""
    return [*sorted(ROOT.glob("README*.md")), *sorted(DOCS.rglob("*.md"))]


def fill(path: Path, text: str) -> str:
    """`text` of the file at `path` with each region as the code has it now; a number stays within its line.

    Raises:
        ValueError: a region has a name that nothing is written for.
    """
    words = Words(yaml.safe_load((DOCS / "zh.yaml").read_text()) if path.name.endswith(CHINESE) else {})

    def write(found: re.Match[str]) -> str:
        space = "\n\n" if found[3].startswith("\n") else ""
        return f"{found[1]}{space}{find_writer(found[2])(words)}{space}{found[4]}"

    return REGION.sub(write, text)


def find_writer(name: str) -> Writer:
    """What writes the region called `name`, such as "operations" or "parameters of wgan".

    Raises:
        ValueError: nothing does.
    """
    kind, _, subject = name.partition(" of ")
    if not subject and kind in WRITERS:
        return WRITERS[kind]
    if subject and kind in WRITERS_OF:
        return partial(WRITERS_OF[kind], subject)
    known = [*WRITERS, *(f"{kind} of ..." for kind in WRITERS_OF)]
    raise ValueError(f"generated: got {name!r}, allowed: one of {', '.join(known)}")
