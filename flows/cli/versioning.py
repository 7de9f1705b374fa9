"""`packshot data`, and `packshot dvc`: DVC's own commands, with its state where no other account writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from models.errors import InputError

data_app = typer.Typer(help="Catalogues and their versions.", no_args_is_help=True)
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


@data_app.command("add")
def data_add(
    folder: Annotated[Path, typer.Argument(help="Photographs in category folders.")],
    name: Annotated[str, typer.Option(help="The catalogue's name.")],
    link: Annotated[bool, typer.Option(help="Hard-link the files instead of copying them.")] = False,
) -> None:
    """Put a folder of photographs into data/ and pin it with DVC."""
    from flows.cli.data import add_data

    add_data(folder, name, link)


@data_app.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(help="fashion-mnist, cifar-10, or one that data.dvc pins.")] = "fashion-mnist",
) -> None:
    """Bring a catalogue's files into data/ and compare them with data.dvc."""
    from flows.cli.data import fetch_data

    fetch_data(name)


@data_app.command("versions")
def data_versions(
    name: Annotated[Optional[str], typer.Argument(help="Of one catalogue; all when left out.")] = None,  # noqa: UP045
) -> None:
    """List the versions of the catalogues."""
    from flows.cli.data import list_data

    list_data(name)
