"""Nothing goes out past the outlets: who prints, and who makes artifacts, tables and pages, is known by name."""

import ast

import pytest

from tasks.workspace.settings import SOURCE

ROOMS = ("flows", "serving", "tasks")
DOORS = {
    "print": {
        "flows/reporting/console.py",  # by `say`, `say_lines`, `say_json`, `print_error` and `summary_table`
        "serving/probe.py",  # a process of our own reads it
    },
    "prefect.artifacts": {"flows/reporting/page.py", "flows/reporting/watch.py"},
    "csv": {
        "tasks/catalogue/listing.py",  # reads
        "tasks/dataset/prepared.py",  # reads
        "tasks/editing/table.py",
    },
    "html": {
        "tasks/outlets/markup.py",
        "tasks/photos/metadata.py",  # reads
        "tasks/provenance/edited.py",  # counts
    },
}
"""Each way out, and the only files that use it."""


def uses(tree: ast.AST, door: str) -> bool:
    """Whether a module prints, or imports the module of that name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == door:
            return True
        if isinstance(node, ast.Import) and door in {alias.name for alias in node.names}:
            return True
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if door == "print" and (called in {"print", "sys.stdout.write", "sys.stderr.write"} or ".print" in called):
            return True
    return False


@pytest.mark.parametrize("door", DOORS)
def test_only_these_files_use_a_way_out(door):
    found = {
        str(path.relative_to(SOURCE))
        for room in ROOMS
        for path in (SOURCE / room).rglob("*.py")
        if uses(ast.parse(path.read_text()), door)
    }
    assert found == DOORS[door]
