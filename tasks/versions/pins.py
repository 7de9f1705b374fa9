"""The history of `data.dvc` in git: the md5 of `data/` at each revision, without touching the working tree."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from models.errors import CatalogueError, InputError
from tasks.workspace.git import ask_git

PIN = "data.dvc"


def read_pin(root: Path) -> str:
    """The md5 of `data/` (32 hex digits) that the working tree's `data.dvc` names.

    Raises:
        CatalogueError: there is no `data.dvc`, or it does not name one folder.
    """
    path = root / PIN
    if not path.exists():
        raise CatalogueError(f"{path} is missing; get it back with `git checkout {PIN}`")
    return _parse_pin(path.read_text(), str(path))


def read_pin_at(root: Path, revision: str) -> str:
    """The md5 of `data/` that `data.dvc` names at a git `revision`.

    Raises:
        InputError: the revision has no `data.dvc`.
    """
    found = ask_git(root, "show", f"{revision}:./{PIN}")
    if found is None:
        raise InputError("data-version", revision, f"a git revision that has {PIN}")
    return _parse_pin(found, f"{PIN} at {revision}")


def find_revision(root: Path, revision: str) -> str | None:
    """The short sha of the commit that `revision` names, or None."""
    found = ask_git(root, "rev-parse", "--verify", "--quiet", "--short", "--end-of-options", f"{revision}^{{commit}}")
    return found.strip() if found else None


def list_revisions(root: Path) -> list[str]:
    """Short shas of the commits that changed `data.dvc`, newest first; empty without commits."""
    if find_revision(root, "HEAD") is None:
        return []
    return (ask_git(root, "log", "--format=%h", "--diff-filter=AM", "--", PIN) or "").split()


def _parse_pin(content: str, where: str) -> str:
    try:
        (output,) = yaml.safe_load(content)["outs"]
        pin = str(output["md5"]).removesuffix(".dir")
        if not re.fullmatch("[0-9a-f]{32}", pin):
            raise ValueError(pin)  # noqa: TRY301
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise CatalogueError(f"{where} does not pin one folder; get a good one with `git checkout {PIN}`") from error
    return pin
