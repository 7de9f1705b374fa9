"""The passwords of this home's servers: made at the first start, read by every client of the same home by itself."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from models.errors import StorageError
from tasks.workspace.storage import locked, make_private, write_private

FILE = "secrets.env"
USER = "packshot"
PREFECT_SERVER_AUTH = "PREFECT_SERVER_API_AUTH_STRING"
PREFECT_AUTH = "PREFECT_API_AUTH_STRING"
MLFLOW_USER = "MLFLOW_TRACKING_USERNAME"
MLFLOW_PASSWORD = "MLFLOW_TRACKING_PASSWORD"
SERVER_KEY = "PACKSHOT_SERVER_KEY"
HEADER = "# Passwords of the servers that keep their state here. Delete this file and start them again for new ones."
LOCK_SECONDS = 30.0


def make_password() -> str:
    """192 random bits, in characters that need no quoting in a shell or a URL."""
    return secrets.token_urlsafe(24)


MAKERS: dict[str, Callable[[], str]] = {
    PREFECT_AUTH: lambda: f"{USER}:{make_password()}",
    MLFLOW_USER: lambda: USER,
    MLFLOW_PASSWORD: make_password,
    SERVER_KEY: make_password,
}


class Credentials(BaseModel):
    """What a client shows to the servers, and the key by which the servers show that they are this home's."""

    model_config = ConfigDict(frozen=True)

    prefect: SecretStr
    """USER:PASSWORD"""
    mlflow_user: str
    mlflow_password: SecretStr
    server_key: SecretStr

    @property
    def mlflow(self) -> SecretStr:
        """USER:PASSWORD"""
        return SecretStr(f"{self.mlflow_user}:{self.mlflow_password.get_secret_value()}")


def load_credentials(home: Path, environment: Mapping[str, str] = os.environ) -> Credentials:
    """The credentials of `home`: what the environment sets, the rest from its `secrets.env`, made when missing.

    Raises:
        StorageError: the file is damaged, others may read it, or it cannot be written.
    """
    given = {name: environment[name] for name in MAKERS if environment.get(name)}
    if environment.get(PREFECT_SERVER_AUTH):  # whoever sets the server's alone means the client's too
        given.setdefault(PREFECT_AUTH, environment[PREFECT_SERVER_AUTH])
    values = given if given.keys() == MAKERS.keys() else {**_read_or_make(home), **given}
    return Credentials(
        prefect=SecretStr(values[PREFECT_AUTH]),
        mlflow_user=values[MLFLOW_USER],
        mlflow_password=SecretStr(values[MLFLOW_PASSWORD]),
        server_key=SecretStr(values[SERVER_KEY]),
    )


def _read_or_make(home: Path) -> dict[str, str]:
    path = home / FILE
    found = _read(path)
    if found.keys() >= MAKERS.keys():
        return found
    make_private(home)
    with locked(home / "secrets.lock", LOCK_SECONDS, "making passwords"):
        found = _read(path)  # another process may have made them while this one waited
        made = {name: make() for name, make in MAKERS.items() if name not in found}
        values = {**found, **made}
        if made:
            lines = [HEADER, *(f"{name}={value}" for name, value in values.items()), ""]
            write_private(path, "\n".join(lines).encode())
    return values


def _read(path: Path) -> dict[str, str]:
    """The NAME=VALUE lines of the file; empty when there is none. Errors name a line, never what it says."""
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StorageError(f"cannot read {path}: {reason}; delete it to have new passwords made") from error
    _refuse_readable_by_others(path)
    values = {}
    for number, line in enumerate(content.splitlines(), start=1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals or not value or not name.isidentifier():
            raise StorageError(f"{path}, line {number}: not NAME=VALUE; mend it, or delete the file for new passwords")
        values[name] = value
    return values


def _refuse_readable_by_others(path: Path) -> None:
    mode, folder = path.stat().st_mode, path.parent.stat().st_mode
    if mode & 0o077:
        raise StorageError(
            f"{path}: other accounts may read it (mode {mode & 0o777:o}); delete it for new passwords, or chmod 600 it"
        )
    if folder & 0o022:
        raise StorageError(
            f"{path}: other accounts may replace it (the folder's mode is {folder & 0o777:o}); chmod 700"
        )
