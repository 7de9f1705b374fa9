"""What MkDocs adds to the pages of this folder: the API from the packages, and the files of the project's root."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PACKAGES = ("flows", "serving", "tasks", "models")
PROJECT = {"CHANGELOG.md": "Changes", "CONTRIBUTING.md": "Contributing", "SECURITY.md": "Security"}
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")
ABOUT = """
Imports point one way: `flows` uses `serving`, which uses `tasks`, which uses `models`; rooms within a package do the
same. There is no promise yet that a function keeps its name between versions: what is stable are the commands, the
names of the flows, and the files that Packshot writes.
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the added pages into the navigation."""
    decisions = [path.relative_to(DOCS).as_posix() for path in sorted((DOCS / "decisions").glob("[0-9]*.md"))]
    api = [{package: [{dotted(room): api_page(room)} for room in find_rooms(package)]} for package in PACKAGES]
    config.nav = [
        *(config.nav or []),
        {"Decisions": ["decisions/index.md", *decisions]},
        {"API": ["api/index.md", *api]},
        {"Project": [{PROJECT[name]: name.lower()} for name in there()]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each room of each package, and one for each of the root's files."""
    pages = {"api/index.md": api_index()}
    pages |= {api_page(room): room_page(room) for room in all_rooms()}
    pages |= {name.lower(): root_page(name) for name in there()}
    for place, content in pages.items():
        files.append(File.generated(config, place, content=content))
    return files


def find_rooms(package: str) -> list[Path]:
    """The package and every folder in it that holds modules, relative to the root."""
    return sorted({path.parent.relative_to(ROOT) for path in (ROOT / package).rglob("*.py")})


def all_rooms() -> Iterator[Path]:
    """The rooms of all packages."""
    for package in PACKAGES:
        yield from find_rooms(package)


def dotted(room: Path) -> str:
    """The room's name as it is imported."""
    return ".".join(room.parts)


def api_page(room: Path) -> str:
    """Where a room's page lies."""
    return f"api/{dotted(room)}.md"


def describe(room: Path) -> str:
    """The first line of the room's docstring."""
    return (ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text())) or "").split("\n")[0]


def room_page(room: Path) -> str:
    """A room's page: what it is for, and each of its modules."""
    modules = sorted(path.stem for path in (ROOT / room).glob("*.py") if path.stem not in ("__init__", "__main__"))
    shown = [f"::: {dotted(room)}.{module}" for module in modules]
    if room.name in PACKAGES:  # what a package itself defines, such as the families that there are
        shown.insert(0, f"::: {dotted(room)}")
    return "\n\n".join([f"# {dotted(room)}", describe(room), *shown]) + "\n"


def api_index() -> str:
    """The list of all rooms with a line each."""
    rows = [f"| [`{dotted(room)}`]({dotted(room)}.md) | {describe(room)} |" for room in all_rooms()]
    return "\n".join(["# API", ABOUT, "| room | what |", "|---|---|", *rows, ""])


def there() -> list[str]:
    """The files of the root that have a page here."""
    return [name for name in PROJECT if (ROOT / name).is_file()]


def root_page(name: str) -> str:
    """A file of the root as a page; its links to pages of this site lead there, and to other files stay as text."""

    def relink(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2].removeprefix("docs/"), link[3] or ""
        page = target.lower() if target in there() else target
        known = target in there() or (DOCS / page).is_file()
        return f"[{text}]({page}{anchor})" if known else text

    return LINK.sub(relink, (ROOT / name).read_text())
