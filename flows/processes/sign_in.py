"""`packshot sign-in`: the links by which a browser gets the passwords of this home's servers."""

from __future__ import annotations

from collections.abc import Iterator

from flows.reporting.console import say_lines
from models.errors import ServiceError
from serving.wall.sign_in import VALID_SECONDS, sign_in_link
from tasks.workspace.access import is_own
from tasks.workspace.credentials import load_credentials
from tasks.workspace.settings import Settings


def links(settings: Settings) -> Iterator[tuple[str, str]]:
    """The name and a new link of each server of this home that runs."""
    key = load_credentials(settings.home).server_key
    servers = (
        ("Prefect", settings.prefect_url, settings.prefect_port),
        ("MLflow", settings.mlflow_url, settings.mlflow_port),
    )
    for name, url, port in servers:
        if is_own(url, settings.home, key):
            yield name, sign_in_link(url, key, port)


def show_links(settings: Settings) -> None:
    """`packshot sign-in`.

    Raises:
        ServiceError: no server of this home runs.
    """
    if not print_links(settings):
        raise ServiceError(f"no server of {settings.home} runs; start them: packshot up")


def print_links(settings: Settings) -> bool:
    """Print the links, each whole on a line of its own, so that a terminal makes it one to click; False for none."""
    lines = [f"  {name:<9} {link}" for name, link in links(settings)]
    minutes = VALID_SECONDS // 60
    heading = f"To sign a browser in, open each link once within {minutes} minutes; `packshot sign-in` makes new ones."
    if lines:
        say_lines([heading, "", *lines, ""])
    return bool(lines)
