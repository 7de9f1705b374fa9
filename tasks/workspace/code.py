"""What a result depends on beside its inputs: all code and packages that its step imports; digests of it, for keys."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

OURS = ("flows", "models", "serving", "tasks")
CARRIERS = (
    "models.errors",
    "models.families.discovery",
    "models.files",
    "tasks.registry.register",
    "tasks.registry.tracking",
    "tasks.training.run_log",
    "tasks.workspace.",
)
"""Modules, and rooms with a dot at their end, that carry what others compute: they tell, store, name and look up.

They and what they import are in nobody's key. A module counts until it is named here, so that one that is forgotten
costs a needless run and never a stale figure; a test refuses one that imports a package that computes. Discovery
finds the families: each step that runs one has that family's own module in its key.
"""
CARRYING_PACKAGES = ("dvc", "dvc_data", "mlflow", "prefect", "pydantic", "rich", "sqlalchemy", "yaml")
"""All other packages that are imported count by their versions."""
DISTRIBUTIONS = {"PIL": "pillow", "cv2": "opencv-python-headless"}
"""What a package is installed as, where it is imported by another name."""


class Closure(NamedTuple):
    """The digest of our code, and the packages whose versions count beside it, as they are installed."""

    digest: str
    packages: tuple[str, ...]


class Module(NamedTuple):
    """A module's digest without comments and docstrings, and what it imports at any time, also within functions."""

    digest: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]


def digest_json(value: object) -> str:
    """32 hex digits of SHA-256 over the canonical JSON of `value`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest_code(*roots: str) -> str:
    """32 hex digits over all that computes in the import closure of the modules `roots`: our code, others' versions.

    Nothing is imported for it. A family is found by its name while a program runs: give its own module as a root.

    Raises:
        ModuleNotFoundError: one of them is not there.
    """
    return digest_closure(read_closure(*roots))


def digest_closure(closure: Closure) -> str:
    """32 hex digits over the code and the versions that its packages have now (without the build, such as `+cpu`)."""
    versions = {name: version(name).partition("+")[0] for name in closure.packages}
    return digest_json([closure.digest, versions])


@cache
def read_closure(*roots: str) -> Closure:
    """All that computes in the import closure of these modules."""
    modules = {name: read_module(name) for name in list_code(*roots)}
    names = {package for module in modules.values() for package in module.packages}
    packages = sorted(DISTRIBUTIONS.get(name, name) for name in names.difference(CARRYING_PACKAGES))
    return Closure(digest_json({name: module.digest for name, module in modules.items()}), tuple(packages))


def list_code(*roots: str) -> tuple[str, ...]:
    """These modules and all of ours that they import, directly or not, but for those that only carry; in order."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [module for module in read_module(name).modules if not _carries(module)]
    return tuple(sorted(found))


@cache
def read_module(name: str) -> Module:
    """Read the source of a module, without importing it."""
    path = find_module(name)
    if path is None:
        raise ModuleNotFoundError(name)
    tree = _Stripped().visit(ast.parse(path.read_text(encoding="utf-8")))
    imported = sorted(set(_imports(tree)))
    return Module(
        digest=hashlib.sha256(ast.dump(tree).encode()).hexdigest(),
        modules=tuple(one for one in imported if one.partition(".")[0] in OURS),
        packages=tuple({top: None for one in imported if (top := one.partition(".")[0]) not in _NO_PACKAGES}),
    )


def find_module(name: str) -> Path | None:
    """The file of a module, or of a package's `__init__`; None where there is none."""
    top, *inner = name.split(".")
    spec = importlib.util.find_spec(top)  # of a module in a package it would import the package
    if spec is None or spec.origin is None:
        return None
    if not inner:
        return Path(spec.origin)
    path = Path(spec.origin).parent.joinpath(*inner)
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


_NO_PACKAGES = frozenset((*OURS, *sys.stdlib_module_names))


class _Stripped(ast.NodeTransformer):
    """Leaves out docstrings, and what stands there for type checkers alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else node


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            ours = node.module.partition(".")[0] in OURS
            yield from ((one if ours and find_module(one) else node.module) for one in inner)


def _carries(module: str) -> bool:
    return module in CARRIERS or any(room.endswith(".") and module.startswith(room) for room in CARRIERS)
