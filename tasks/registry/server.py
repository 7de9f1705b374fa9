"""Which MLflow server is used, the user's or this home's, and whether it lets a client in."""

from __future__ import annotations

import os
import socket
import urllib.request

from pydantic import SecretStr

from models.errors import InputError, ServiceError
from tasks.workspace.access import basic, is_own, is_refused
from tasks.workspace.credentials import FILE, MLFLOW_PASSWORD, MLFLOW_USER, load_credentials
from tasks.workspace.settings import TrackingPlace

PROBE_SECONDS = 3.0
DATABASES = ("sqlite:", "postgresql", "mysql", "mssql")
EXPERIMENT = "/api/2.0/mlflow/experiments/get?experiment_id=0"  # every server has it


def serves_home(settings: TrackingPlace) -> bool:
    """True when the MLflow server at `settings.mlflow_url` is this home's.

    A server of another checkout on the same port is not ours: writing to it would mix two registries.
    """
    if not port_answers(settings.mlflow_host, settings.mlflow_port):
        return False
    return is_own(settings.mlflow_url, settings.home, load_credentials(settings.home).server_key, PROBE_SECONDS)


def port_answers(host: str, port: int) -> bool:
    """Whether something listens there; a home that has no server needs no passwords to find that out."""
    try:
        socket.create_connection((host, port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def sign_in(settings: TrackingPlace) -> None:
    """Let MLflow's client in this process find the home's password, unless the user set one.

    Raises:
        ServiceError: the home's server refuses it.
    """
    credentials = load_credentials(settings.home)
    os.environ[MLFLOW_USER] = credentials.mlflow_user
    os.environ[MLFLOW_PASSWORD] = credentials.mlflow_password.get_secret_value()
    if is_refused(f"{settings.mlflow_url}{EXPERIMENT}", basic(credentials.mlflow), PROBE_SECONDS):
        raise refused(settings.mlflow_url, f"unset both to use those of {settings.home / FILE}, or start it again")


def check_tracking(settings: TrackingPlace) -> str:
    """`MLFLOW_TRACKING_URI`, or "" when it is not set; a server it names is asked for its health, once.

    Raises:
        InputError: it names neither a server nor a database.
        ServiceError: the server does not answer within seconds, or it refuses the password.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if uri.startswith(("http://", "https://")):
        ask_health(uri)
        if uri.rstrip("/") == settings.mlflow_url and serves_home(settings):
            sign_in(settings)
        elif wants_password(f"{uri.rstrip('/')}{EXPERIMENT}"):
            raise refused(uri, "set them to its own")
    elif uri and not uri.startswith(DATABASES):
        raise InputError("MLFLOW_TRACKING_URI", uri, "http://HOST:PORT of an MLflow server, or sqlite:///FILE")
    return uri


def wants_password(url: str) -> bool:
    """Whether a server of the user's refuses what MLflow's client in this process sends it."""
    return is_refused(url, None, PROBE_SECONDS) and is_refused(url, authorization(), PROBE_SECONDS)


def authorization() -> str | None:
    """What MLflow's client in this process sends as the header Authorization."""
    from mlflow.utils.credentials import read_mlflow_creds

    found = read_mlflow_creds()
    if found.username and found.password:
        return basic(SecretStr(f"{found.username}:{found.password}"))
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    return f"Bearer {token}" if token else None


def ask_health(uri: str) -> None:
    """Raise a ServiceError when no MLflow server answers at `uri` within seconds."""
    try:
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=PROBE_SECONDS).close()
    except (OSError, ValueError) as error:
        raise unreachable(uri, error) from error


def refused(uri: str, remedy: str) -> ServiceError:
    """The one-line error for an MLflow that does not take the password."""
    return ServiceError(f"the MLflow server at {uri} refuses {MLFLOW_USER} and {MLFLOW_PASSWORD}: {remedy}")


def unreachable(uri: str, error: Exception) -> ServiceError:
    """The one-line error for an MLflow that does not answer."""
    reason = " ".join(str(error).split())[:160]
    return ServiceError(
        f"MLflow does not answer at {uri} ({reason}); start it (packshot up), "
        "or unset MLFLOW_TRACKING_URI to use the local database"
    )
