"""Digests of code and of JSON values, which step keys are made of."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
from pathlib import Path


def list_code(*modules: str) -> list[str]:
    """These modules and all of `models` that they import, directly or not: the maths that a result depends on."""
    found: dict[str, None] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = None
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
        froms = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        waiting += [module for module in froms if module and module.startswith("models")]
    return sorted(found)


def digest_json(value: object) -> str:
    """32 hex digits of SHA-256 over the canonical JSON of `value`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest_code(*modules: str) -> str:
    """32 hex digits over the source of the named modules (not imported), so that a code change is a new key."""
    sources = {}
    for name in modules:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        sources[name] = hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()
    return digest_json(sources)
