"""The process of the Prefect server: Prefect's own application behind our wall."""

from __future__ import annotations

import os
import sys

from pydantic import SecretStr

from flows.reporting.console import run_command
from serving.wall.asgi import Entrance, Wall
from serving.wall.origins import host_names
from tasks.workspace.credentials import PREFECT_AUTH, PREFECT_SERVER_AUTH, load_credentials
from tasks.workspace.settings import Settings

KEEP = 'localStorage.setItem("prefect-password", authorization)'  # where Prefect's page keeps what one types there


def build_app(settings: Settings) -> Wall:
    """Prefect's application, which asks for the password by itself, and lets health and readiness go without it."""
    credentials = load_credentials(settings.home)
    password = os.environ.get(PREFECT_SERVER_AUTH) or credentials.prefect.get_secret_value()
    os.environ.update(
        {
            **settings.environment(),
            PREFECT_SERVER_AUTH: password,
            PREFECT_AUTH: password,  # of the services in this process, which are clients too
            "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": settings.prefect_url,
            "PREFECT_UI_API_URL": "/api",  # of whichever of our names the browser uses
        }
    )
    from prefect.server.api.server import create_app

    entrance = Entrance(
        title="Prefect",
        home=settings.home,
        port=settings.prefect_port,
        hosts=host_names(settings.prefect_host, settings.prefect_port, settings.other_names),
        key=credentials.server_key,
        password=SecretStr(password),
        keep=KEEP,
    )
    return Wall(create_app(final=True), entrance)


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    app = build_app(settings)
    import uvicorn
    from prefect.settings import get_current_settings

    api = get_current_settings().server.api
    uvicorn.run(
        app,
        host=settings.prefect_host,
        port=settings.prefect_port,
        timeout_keep_alive=api.keepalive_timeout,
        ws_ping_interval=api.websocket_ping_interval,
        ws_ping_timeout=api.websocket_ping_timeout,
        log_level=get_current_settings().server.logging_level.lower(),
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
