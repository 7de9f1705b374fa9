"""The commit that the checkout stands at."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from models.errors import ServiceError


def git_commit(root: Path) -> str:
    """The commit checked out at `root`, with `+dirty` when a tracked file was changed; empty when there is none yet.

    Raises:
        ServiceError: git is not installed, or refuses to read the repository.
    """
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if not head:
        return ""
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{head}+dirty" if changed else head


def _git(root: Path, *arguments: str) -> str:
    """What git prints; empty where there is no repository or no commit."""
    if shutil.which("git") is None:
        raise ServiceError("git is not installed; install it: apt-get install git")
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode and done.stderr and "not a git repository" not in done.stderr:
        raise ServiceError(f"git cannot read {root}: {done.stderr.strip().splitlines()[0]}")
    return "" if done.returncode else done.stdout.strip()
