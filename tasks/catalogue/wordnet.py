"""ImageNet's category folders: WordNet ids such as n01440764, and the tables that name them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from models.errors import CatalogueError

TABLES = ("LOC_synset_mapping.txt", "words.txt", "classes.txt")
WNID = re.compile(r"n\d{8}")
LINE = re.compile(r"(n\d{8})\s+(\S.*)")


def name_categories(folder: Path, categories: Collection[str]) -> dict[str, str]:
    """The name of each of `categories` that is a WordNet id, by the first of `TABLES` that is in `folder`.

    A table has a line per id: `n01440764 tench, Tinca tinca`. The name is the first of the synonyms; where two
    categories share it, as ImageNet's two cranes do, the id is added. Ids that are not in the table stay as they are.

    Raises:
        CatalogueError: a line of the table cannot be read.
    """
    wanted = {category for category in categories if WNID.fullmatch(category)}
    table = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if not wanted or table is None:
        return {}
    names = {wnid: name for wnid, name in _read_names(table) if wnid in wanted}
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    return {wnid: f"{name} ({wnid})" if name in shared else name for wnid, name in names.items()}


def _read_names(table: Path) -> list[tuple[str, str]]:
    try:
        lines = table.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{table}: not UTF-8 text") from error
    found = [(number, line, LINE.fullmatch(line.strip())) for number, line in enumerate(lines, 1) if line.strip()]
    for number, line, match in found:
        if match is None:
            raise CatalogueError(
                f"{table}, line {number}: {line[:60]!r}, expected a WordNet id and names: n01440764 tench"
            )
    return [(match[1], match[2].split(",")[0].strip()) for _, _, match in found if match]
