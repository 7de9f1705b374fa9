"""Where MLflow keeps the files of runs and models: in the home, by addresses that stay right when it moves.

`mlflow-artifacts:/REST` is MLflow's own address for "wherever the server keeps its files". A client of a server asks
that server for them. A client of the home's database has no server to ask, and MLflow would give up: here it finds them
beside the database.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tasks.workspace.places import place_inside

if TYPE_CHECKING:
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

SCHEME = "mlflow-artifacts"
ROOT = f"{SCHEME}:/"
SQLITE = "sqlite:///"
FOLDER = "artifacts"
"""Beside the database."""
BELOW = "/mlflow/artifacts/"
"""What every home has in the paths of its artifacts."""
EXPERIMENTS = ("experiments", "artifact_location")
COLUMNS = (
    EXPERIMENTS,
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Tables and columns of MLflow's database that say where files are."""


def address(name: str) -> str:
    """The address of the folder `name` of the artifacts."""
    return ROOT + name


def find_files(artifacts: Path, location: str) -> Path | None:
    """The folder on this machine that an address means; None when it is on another.

    Raises:
        InputError: the address leads out of the artifacts; whoever may call MLflow can write one.
    """
    parts = urlsplit(location)
    if parts.scheme == SCHEME and not parts.netloc:
        below = url2pathname(parts.path).strip("/")
        return place_inside(artifacts, below, "location") if below else artifacts
    return Path(url2pathname(parts.path)) if parts.scheme in ("", "file") else None


def resolve_beside_database() -> None:
    """Have MLflow's clients in this process resolve addresses beside the database where they speak to no server."""
    from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories

    get_registered_artifact_repositories()[SCHEME] = open_files  # type: ignore[assignment]  # it means a factory


def open_files(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> ArtifactRepository:
    """What MLflow reads and writes the files at an address through."""
    from mlflow import get_tracking_uri
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
    from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository

    store = tracking_uri or get_tracking_uri()
    folder = find_files(Path(store.removeprefix(SQLITE)).with_name(FOLDER), artifact_uri)
    if not store.startswith(SQLITE) or folder is None:
        return MlflowArtifactsRepository(artifact_uri, tracking_uri, registry_uri)
    return LocalArtifactRepository(folder.as_uri(), tracking_uri, registry_uri)


def settle(database: Path, artifacts: Path) -> None:
    """Give the locations that older versions wrote as absolute paths their address, in one transaction.

    Files of a run that lie at such a path and not here are copied: that version wrote into the home that this one is a
    copy of.
    """
    with closing(sqlite3.connect(database, isolation_level=None, timeout=60)) as connection:
        connection.execute("begin immediate")
        for table, column in COLUMNS:
            for old in _absolute(connection, table, column):
                new = _readdress(artifacts, old, with_files=(table, column) != EXPERIMENTS)
                connection.execute(f"update {table} set {column} = ? where {column} = ?", (new, old))
        connection.execute("commit")


def _readdress(artifacts: Path, location: str, with_files: bool) -> str:
    path = find_files(artifacts, location) or Path()
    _, below, rest = str(path).rpartition(BELOW)
    if not below:
        return location
    here = artifacts / rest
    if with_files and path.is_dir() and not here.exists():
        partial = here.with_name(f".{here.name}.part")
        shutil.copytree(path, partial, dirs_exist_ok=True)
        partial.rename(here)
    return address(rest)


def find_strays(database: Path, artifacts: Path) -> list[str]:
    """Locations on this machine that are outside of the home's artifacts."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
        found = {old for table, column in COLUMNS for old in _absolute(connection, table, column)}
    paths = {location: find_files(artifacts, location) for location in found}
    return sorted(location for location, path in paths.items() if path and not path.is_relative_to(artifacts))


def _absolute(connection: sqlite3.Connection, table: str, column: str) -> Iterator[str]:
    """The different locations in a column that are paths."""
    query = f"select distinct {column} from {table} where {column} like '/%' or {column} like 'file:%'"
    return (location for (location,) in connection.execute(query).fetchall())
