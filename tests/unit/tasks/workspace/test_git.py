"""The commit that the checkout stands at."""

from __future__ import annotations

import subprocess

import pytest

from models.errors import ServiceError
from tasks.workspace.git import git_commit


def test_git_commit_says_dirty_only_for_tracked_changes(tmp_path):
    assert git_commit(tmp_path) == ""
    run(tmp_path, "init", "-q")
    assert git_commit(tmp_path) == ""
    (tmp_path / "a").write_text("1")
    run(tmp_path, "add", "a")
    run(tmp_path, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "m")
    (tmp_path / "untracked").write_text("1")
    sha = git_commit(tmp_path)
    assert len(sha) == 40
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path) == f"{sha}+dirty"


def test_missing_or_refusing_git_is_an_error(tmp_path, monkeypatch):
    run(tmp_path, "init", "-q")
    (tmp_path / ".git" / "config").write_text("not a config")
    with pytest.raises(ServiceError, match="git cannot read"):
        git_commit(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceError, match="git is not installed"):
        git_commit(tmp_path)


def run(folder, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)
