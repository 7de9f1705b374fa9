"""Print the files of the unit tests that import, directly or not, what differs from the branch `main` (or BASE)."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import grimp


def main(base: str = "main") -> None:
    """Print one path a line; files that no Python module stands beside, such as `params.yaml`, affect nothing here."""
    packages = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["mypy"]["packages"]
    sys.path.insert(0, str(Path.cwd()))  # `bench` and `tests` are not installed
    graph = grimp.build_graph(*packages, "tests", cache_dir=None)
    affected = {name for path in find_changed(base) for name in find_modules(path, graph.modules)}
    affected = affected.union(*(graph.find_downstream_modules(name) for name in affected))
    for name in sorted(affected):
        path = Path(*name.split(".")).with_suffix(".py")
        if path.is_relative_to("tests/unit") and path.name.startswith("test_"):
            print(path)


def find_changed(base: str) -> list[Path]:
    """Files that differ from where this branch left `base`, committed or not, and those that git does not know yet."""
    listed = (("diff", "--name-only", "--merge-base", base), ("ls-files", "--others", "--exclude-standard"))
    answers = (subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout for words in listed)
    return [Path(line) for answer in answers for line in answer.splitlines()]


def find_modules(path: Path, known: set[str]) -> set[str]:
    """The module at `path`; for a package's data, a `conftest.py` or a deleted module: all in its folder and below."""
    name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    if path.suffix == ".py" and name in known and path.name != "conftest.py":
        return {name}
    folder = path.parent
    while folder.parts and not any(lies_in(module, folder) for module in known):
        folder = folder.parent
    return {module for module in known if folder.parts and lies_in(module, folder)}


def lies_in(module: str, folder: Path) -> bool:
    """Whether `folder` is the module's package or one around it; a package lies in its own folder."""
    return f"{module}.".startswith(".".join(folder.parts) + ".")


if __name__ == "__main__":
    main(*sys.argv[1:])
