"""Questions to git about the checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from models.errors import ServiceError

SECONDS = 30.0


def git_commit(root: Path) -> str:
    """The commit checked out at `root`, with `+dirty` when a tracked file has changed; empty when there is none yet.

    Raises:
        ServiceError: git is not installed, or refuses to read the repository.
    """
    head = _read(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if not head:
        return ""
    changed = _read(root, "status", "--porcelain", "--untracked-files=no")
    return f"{head}+dirty" if changed else head


def ask_git(root: Path, *arguments: str) -> str | None:
    """What git prints at `root`; None when it says no.

    Raises:
        ServiceError: git is not installed.
    """
    answer = run_git(root, *arguments)
    return None if answer.returncode else answer.stdout


def _read(root: Path, *arguments: str) -> str:
    """What git prints; empty when there is no repository or no commit."""
    answer = run_git(root, *arguments)
    if answer.returncode and answer.stderr and "not a git repository" not in answer.stderr:
        raise ServiceError(f"git cannot read {root}: {answer.stderr.strip().splitlines()[0]}")
    return "" if answer.returncode else answer.stdout.strip()


def run_git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git at `root`.

    Raises:
        ServiceError: git is not installed.
    """
    if shutil.which("git") is None:
        raise ServiceError("git is not installed; install it: apt-get install git")
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
