"""The commands that the documents show: every line of their ```bash blocks."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tasks.workspace.settings import SOURCE

READMES = (SOURCE / "README.md", SOURCE / "README.zh-CN.md")
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def list_documents() -> list[Path]:
    """The READMEs first, then the pages in the order of their names."""
    return [*READMES, *sorted((SOURCE / "docs").rglob("*.md"))]


def read_commands(path: Path) -> list[str]:
    """The commands of one document in their order, without comments."""
    lines = [line for block in BLOCK.findall(path.read_text()) for line in block.splitlines()]
    commands = [shlex.join(shlex.split(line, comments=True)) for line in lines]
    return [command for command in commands if command]


def all_commands() -> list[str]:
    """Those of all documents, each once."""
    return list(dict.fromkeys(command for path in list_documents() for command in read_commands(path)))
