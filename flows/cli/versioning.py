"""`packshot dvc`: DVC's own commands on the checkout, with its state where no other account writes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated, Optional

import typer

from models.errors import InputError

UNCHECKED = {"checkout", "pull"}
"""They write wherever a remote's list of files says."""


def run_dvc(
    arguments: Annotated[Optional[list[str]], typer.Argument(help="Such as repro, metrics show, push.")] = None,  # noqa: UP045
) -> None:
    """Run DVC with its state in the home; a bare `dvc` keeps it where every account may write."""
    from tasks.versions.repository import secure_state
    from tasks.workspace.settings import Settings

    settings = Settings()
    for unchecked in sorted(UNCHECKED.intersection(arguments or [])):
        raise InputError("dvc", unchecked, "`packshot data fetch NAME`, which checks each path before it writes")
    secure_state(settings)
    command = [sys.executable, "-m", "dvc", *(arguments or [])]
    done = subprocess.run(command, cwd=settings.root, env={**os.environ, **settings.environment()}, check=False)
    raise typer.Exit(done.returncode)
