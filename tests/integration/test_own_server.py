"""A flow in a process that starts its own Prefect server leaves nothing unsaid when the server stops."""

import os
import socket
import sqlite3
import subprocess
import sys

import pytest

COMMAND = """
import os, sys
from pathlib import Path
from flows.processes.prefect_server import answers, prefect_server
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


@pytest.mark.slow
def test_logs_are_kept_when_the_server_stops_with_the_command(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    ours = {"PACKSHOT_ROOT": str(tmp_path), "PACKSHOT_HOME": str(tmp_path / "home"), "PACKSHOT_PREFECT_PORT": str(port)}

    done = subprocess.run([sys.executable, "-c", COMMAND], env=given | ours, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "False"
    assert "Error logging to API" not in done.stdout + done.stderr
    with sqlite3.connect(tmp_path / "home" / "prefect" / "prefect.db") as database:
        kept = [message for (message,) in database.execute("select message from log")]
    database.close()
    assert "a line that must be kept" in kept
