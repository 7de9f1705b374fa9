"""The process of the MLflow server: MLflow's own application behind our wall, which asks for the password."""

from __future__ import annotations

import os
import sys
import warnings

from flows.reporting.console import run_command
from serving.wall.asgi import Entrance, Wall
from serving.wall.origins import host_names
from tasks.registry.locations import ROOT
from tasks.registry.tracking import create_database
from tasks.workspace.credentials import load_credentials
from tasks.workspace.settings import Settings

OPEN_PATHS = frozenset({"/health", "/version"})
# A request with a name and a password in its URL is how a script hands them to the browser, which keeps them.
KEEP = """return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("GET", "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0", true, user, password);
    request.onload = done;
    request.onerror = failed;
    request.send();
  })"""


def build_app(settings: Settings) -> Wall:
    """MLflow's application over the home's database."""
    credentials = load_credentials(settings.home)
    create_database(settings)
    hosts = host_names(settings.mlflow_host, settings.mlflow_port, settings.other_names)
    os.environ.update(
        {
            **settings.environment(),
            "_MLFLOW_SERVER_FILE_STORE": settings.mlflow_database,  # as `mlflow server` tells its workers
            "_MLFLOW_SERVER_ARTIFACT_ROOT": ROOT,
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": settings.mlflow_artifacts.as_uri(),
            "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(sorted(hosts)),
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # its job queue is a separate process that we never use
        }
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "starlette.middleware.wsgi is deprecated")  # MLflow's use of it
        from mlflow.server.fastapi_app import app
        from mlflow.server.handlers import initialize_backend_stores

    initialize_backend_stores(settings.mlflow_database, settings.mlflow_database, ROOT)
    entrance = Entrance(
        title="MLflow",
        home=settings.home,
        port=settings.mlflow_port,
        hosts=hosts,
        key=credentials.server_key,
        password=credentials.mlflow,
        keep=KEEP,
        open_paths=OPEN_PATHS,
        friends=host_names(settings.prefect_host, settings.prefect_port, settings.other_names),
    )
    return Wall(app, entrance)


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    app = build_app(settings)
    import uvicorn

    uvicorn.run(app, host=settings.mlflow_host, port=settings.mlflow_port, log_level="warning")


if __name__ == "__main__":
    sys.exit(run_command(main))
