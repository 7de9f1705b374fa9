"""Prefect servers that commands start by themselves, share and stop."""

import socket
import sqlite3
import subprocess
import sys

import pytest

from flows.processes.ports import answers, port_taken
from flows.processes.prefect_server import PrefectServer, prefect_server
from models.errors import ServiceError
from tasks.workspace.settings import Settings

COMMAND = """
import os, sys
from pathlib import Path
from flows.processes.ports import answers
from flows.processes.prefect_server import prefect_server
from tasks.workspace.settings import Settings

settings = Settings()
os.environ.update(settings.environment())
with prefect_server(settings) as url:
    os.environ["PREFECT_API_URL"] = url
    from prefect import flow, get_run_logger

    @flow
    def speak() -> None:
        get_run_logger().info("a line that must be kept")

    speak()
print(answers(f"{url}/health"))
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PACKSHOT_ROOT", str(tmp_path))
    monkeypatch.setenv("PACKSHOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PACKSHOT_PREFECT_PORT", str(port))
    return Settings()


@pytest.mark.slow
def test_logs_are_kept_when_the_server_stops_with_the_command(settings):
    done = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "False"
    assert "Error logging to API" not in done.stdout + done.stderr
    with sqlite3.connect(settings.home / "prefect" / "prefect.db") as database:
        kept = [message for (message,) in database.execute("select message from log")]
    database.close()
    assert "a line that must be kept" in kept


@pytest.mark.slow
def test_a_server_that_cannot_start_is_reported_with_its_log(settings):
    folder = settings.home / "prefect"
    folder.mkdir(parents=True)
    (folder / "prefect.db").write_text("this is not a database" * 100)
    with pytest.raises(ServiceError, match=r"ended before it answered.*not a database"), prefect_server(settings):
        pass
    assert not port_taken(settings.prefect_host, settings.prefect_port)


@pytest.mark.slow
def test_the_last_user_stops_the_server(settings):
    first, second = PrefectServer(settings), PrefectServer(settings)
    first.start()
    second.start()
    try:
        assert first.wait() == second.wait() == f"{settings.prefect_url}/api"
        first.stop()
        assert answers(f"{settings.prefect_url}/api/health")
    finally:
        first.stop()
        second.stop()
    assert not answers(f"{settings.prefect_url}/api/health")
    assert not port_taken(settings.prefect_host, settings.prefect_port)
    assert not (settings.home / "prefect" / "server.json").exists()
