"""Runs, metrics, figures and data sets in MLflow: through the server when it is up, else straight to its database."""

from __future__ import annotations

import json
import logging
import os
import time
import urllib.error
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from models.errors import InputError
from tasks.registry.locations import ROOT, SQLITE, address, find_files, resolve_beside_database, settle
from tasks.registry.server import check_tracking, refused, serves_home, sign_in, unreachable
from tasks.workspace.settings import TrackingPlace
from tasks.workspace.storage import explain_database_error, locked, make_private, storage_errors, write_atomically

if TYPE_CHECKING:
    from mlflow import MlflowClient

CLIENT_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
PARAM_LENGTH = 6000
DIGEST_LENGTH = 36
Status = Literal["FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class Tracking:
    """Access to MLflow: `uri` is the server's address or the database; every call names its run explicitly.

    `artifacts` is the home's folder of files, None where a registry that is not the home's was asked for.
    """

    uri: str
    client: MlflowClient
    artifacts: Path | None

    def find_files(self, location: str) -> Path | None:
        """The folder on this machine of the files at a location that MLflow names; None when it is on another."""
        if location.startswith(ROOT) and self.artifacts is None:
            return None
        return find_files(self.artifacts or Path(), location)

    def experiment(self, name: str) -> str:
        """The id of experiment `name`, made when missing, with its files in the home."""
        from mlflow.exceptions import MlflowException

        with service_errors(self.uri):
            found = self.client.get_experiment_by_name(name)
            if found is None:
                location = None if self.artifacts is None else address(name)
                try:
                    return str(self.client.create_experiment(name, artifact_location=location))
                except MlflowException as error:
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
                    # Another process made it between the two calls.
                    found = self.client.get_experiment_by_name(name)
                    if found is None:
                        raise
            if found.lifecycle_stage != "active":
                raise InputError("experiment", name, "one that is not deleted; restore it: mlflow experiments restore")
            return str(found.experiment_id)

    def start_or_resume_run(
        self, experiment: str, run_id: str | None, name: str, tags: Mapping[str, str], params: Mapping[str, object]
    ) -> str:
        """Create a run called `name`, or reopen run `run_id`; returns its id.

        Raises:
            InputError: there is no run `run_id`.
            ServiceError: MLflow cannot be reached.
        """
        experiment_id = self.experiment(experiment)
        with service_errors(self.uri):
            if run_id is None:
                run = self.client.create_run(experiment_id, run_name=name, tags={**tags})
                run_id = str(run.info.run_id)
            else:
                self.client.update_run(self._existing(run_id), status="RUNNING")
                self._log(run_id, tags=tags)
            self._log(run_id, params=params)
        return run_id

    def log_metrics(self, run_id: str, step: int, metrics: Mapping[str, float]) -> None:
        """Log all `metrics` of one step in one request."""
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        batch = [Metric(name, float(value), now, step) for name, value in metrics.items()]
        with service_errors(self.uri):
            self.client.log_batch(run_id, metrics=batch)

    def log_figure_file(self, run_id: str, path: Path, folder: str = "") -> None:
        """Copy the file at `path` into the run's artifacts, under `folder`."""
        with service_errors(self.uri), storage_errors(path):
            self.client.log_artifact(run_id, str(path), folder or None)

    def log_dataset(self, run_id: str, name: str, md5: str, source: str, context: str) -> None:
        """Log catalogue `name` as an input of the run: the digest is DVC's md5, `context` something like `training`.

        Raises:
            InputError: `md5` is longer than the 36 characters MLflow keeps of a digest.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        if len(md5) > DIGEST_LENGTH:
            raise InputError("data md5", md5, f"at most {DIGEST_LENGTH} characters (DVC's md5 has 32)")
        data = Dataset(name=name, digest=md5, source_type="local", source=json.dumps({"uri": source}))
        with service_errors(self.uri):
            self.client.log_inputs(run_id, [DatasetInput(data, [InputTag("mlflow.data.context", context)])])

    def end_run(self, run_id: str, status: Status = "FINISHED") -> None:
        """Close the run with a status that MLflow's page shows."""
        with service_errors(self.uri):
            self.client.set_terminated(run_id, status=status)

    def _existing(self, run_id: str) -> str:
        from mlflow.exceptions import MlflowException

        try:
            return str(self.client.get_run(run_id).info.run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise InputError("run", run_id, f"a run id that {self.uri} has") from error

    def _log(
        self, run_id: str, *, params: Mapping[str, object] | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        from mlflow.entities import Param, RunTag

        as_params = [Param(name, str(value)[:PARAM_LENGTH]) for name, value in (params or {}).items()]
        as_tags = [RunTag(name, value) for name, value in (tags or {}).items()]
        self.client.log_batch(run_id, params=as_params, tags=as_tags)


def open_tracking(settings: TrackingPlace) -> Tracking:
    """Open MLflow: `MLFLOW_TRACKING_URI` when set, else our own server when it answers, else its database.

    Cheap enough to call per step, so that the database takes over from a server that went away.

    Raises:
        ServiceError: `MLFLOW_TRACKING_URI` names a server that does not answer.
        StorageError: the database's folder cannot be written.
    """
    from mlflow import MlflowClient
    from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

    # MLflow keeps the way to a run's files for the whole process, even through a server that has gone away since.
    _artifact_repos_cache.clear()
    # It prints tracebacks of errors that it raises as well, so nothing is lost.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    for name, value in CLIENT_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    resolve_beside_database()
    explicit = check_tracking(settings)
    if explicit:
        return Tracking(explicit, MlflowClient(explicit, registry_uri=explicit), artifacts=None)
    uri = settings.mlflow_url if serves_home(settings) else settings.mlflow_database
    if uri == settings.mlflow_url:
        sign_in(settings)
    else:
        create_database(settings)
    return Tracking(uri, MlflowClient(uri, registry_uri=uri), artifacts=settings.mlflow_artifacts)


def create_database(settings: TrackingPlace) -> None:
    """Make MLflow's database when it is not there, and have the one that is there name its files by their addresses."""
    folder = settings.mlflow_artifacts
    database = Path(settings.mlflow_database.removeprefix(SQLITE))
    ready = folder / ".ready"
    if is_settled(ready) and database.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with (
        locked(database.with_suffix(".lock"), seconds=600, doing="creating MLflow's database"),
        storage_errors(database),
    ):
        if is_settled(ready) and database.exists():  # made while this process waited
            return
        make_private(settings.home)
        folder.mkdir(parents=True, exist_ok=True)
        SqlAlchemyStore(settings.mlflow_database, ROOT)  # type: ignore[no-untyped-call]
        settle(database, folder)
        write_atomically(ready, ROOT.encode())


def is_settled(ready: Path) -> bool:
    """Whether the database was made, and names its files by addresses; older versions left the mark empty."""
    return ready.exists() and ready.read_text() == ROOT


@contextmanager
def service_errors(uri: str) -> Iterator[None]:
    """Turn a lost connection or a full disk into a one-line error; MLflow's refusals of a value pass unchanged."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (ConnectionError, urllib.error.URLError) as error:
        raise unreachable(uri, error) from error
    except MlflowException as error:
        database = Path(uri.removeprefix("sqlite:///"))
        reason = next((line for line in error.message.splitlines() if "OperationalError" in line), "")
        if "disk" in reason:
            raise explain_database_error(reason, database) from error
        if error.error_code == "UNAUTHENTICATED" or "error code 401" in error.message:
            raise refused(uri, "they are not those that the server was started with") from error
        if error.message.startswith("API request to") or error.error_code == "TEMPORARILY_UNAVAILABLE":
            raise unreachable(uri, error) from error
        if reason:
            raise explain_database_error(reason, database) from error
        raise
