"""`packshot up` for real: three processes start, answer, run a deployment, and are all gone after one signal."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from flows.processes.ports import answers
from flows.processes.up import process_environment, refuse_nameless_hosts, run_servers
from models.errors import InputError, ServiceError
from serving.wall.sign_in import SIGN_IN_PATH
from tasks.workspace.credentials import load_credentials
from tasks.workspace.settings import SOURCE, Settings

CHECKOUT = SOURCE
COMMAND = """
import sys
from flows.reporting.console import run_command
from flows.processes.up import run_servers
from tasks.workspace.settings import Settings
sys.exit(run_command(lambda: run_servers(Settings())))
"""
FLOW = """
import time
from pathlib import Path
from prefect import flow

@flow
def train(marker: str, seconds: float = 0.0) -> None:
    Path(marker).touch()
    time.sleep(seconds)
"""
DEPLOYMENTS = """
deployments:
  - {name: train, entrypoint: "jobs/train.py:train", description: a stand-in}
"""


@pytest.fixture
def free_ports():
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


@pytest.fixture
def settings(tmp_path, free_ports, monkeypatch):
    monkeypatch.setenv("PACKSHOT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    shutil.copy(CHECKOUT / "Procfile", tmp_path)
    (tmp_path / "prefect.yaml").write_text(DEPLOYMENTS)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "train.py").write_text(FLOW)
    return Settings(root=tmp_path, prefect_port=free_ports[0], mlflow_port=free_ports[1])


@pytest.fixture
def environment(settings):
    return {
        **os.environ,
        "PACKSHOT_ROOT": str(settings.root),
        "PACKSHOT_PREFECT_PORT": str(settings.prefect_port),
        "PACKSHOT_MLFLOW_PORT": str(settings.mlflow_port),
    }


@pytest.fixture
def running(settings, environment):
    log = settings.root / "up.log"
    with (
        log.open("w") as output,
        subprocess.Popen([sys.executable, "-c", COMMAND], env=environment, stdout=output, stderr=output) as process,
    ):
        family = []
        try:
            wait_until(lambda: process.poll() is not None or "To sign a browser in" in log.read_text(), 500, log)
            assert process.poll() is None, log.read_text()
            yield process, log
        finally:
            if process.poll() is None:
                family = psutil.Process(process.pid).children(recursive=True)
                process.kill()
            for survivor in family:
                if survivor.is_running():
                    survivor.kill()


def wait_until(condition, seconds, log):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def start_run(settings, marker):
    """Ask the server for a run of the stand-in that would take five minutes."""
    code = (
        "from flows.processes.prefect_server import PrefectServer\n"
        "from tasks.workspace.settings import Settings\n"
        "PrefectServer(Settings()).lend_password()\n"
        "from prefect.client.orchestration import get_client\n"
        "with get_client(sync_client=True) as client:\n"
        "    deployment = client.read_deployment_by_name('train/train')\n"
        f"    parameters = {{'marker': {str(marker)!r}, 'seconds': 300}}\n"
        "    client.create_flow_run_from_deployment(deployment.id, parameters=parameters)\n"
    )
    ours = {**settings.environment(), **settings.variables(), "PREFECT_API_URL": f"{settings.prefect_url}/api"}
    environment = {**os.environ, **ours}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.slow
def test_up_starts_three_processes_and_one_signal_ends_them_with_their_runs(settings, running):
    process, log = running
    assert answers(f"{settings.prefect_url}/api/health")
    assert answers(f"{settings.mlflow_url}/health")
    assert f"{settings.prefect_url}{SIGN_IN_PATH}#" in log.read_text()
    assert f"{settings.mlflow_url}{SIGN_IN_PATH}#" in log.read_text()
    start_run(settings, settings.root / "begun")
    wait_until((settings.root / "begun").exists, 500, log)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 4, "three processes and the run's own"

    process.send_signal(signal.SIGINT)

    assert process.wait(300) == 0, log.read_text()
    assert not [survivor for survivor in family if survivor.is_running()]
    assert not answers(f"{settings.prefect_url}/api/health")
    assert "Traceback" not in log.read_text().partition("SIGINT received")[2]
    made = load_credentials(settings.home)
    assert not [one for one in (made.prefect, made.mlflow_password) if one.get_secret_value() in log.read_text()]


def test_a_process_that_ends_by_itself_ends_the_others_and_is_named(settings, environment):
    marker = settings.root / "stopped"
    worker = f"deployments: trap 'touch {marker}; exit' TERM; sleep 600 & wait"
    (settings.root / "Procfile").write_text(f"prefect: exec sleep 600\nmlflow: sleep 1; exit 3\n{worker}\n")
    command = [sys.executable, "-c", COMMAND]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: mlflow ended by itself")
    assert marker.exists(), "the worker was asked to stop, not killed"


def test_a_taken_port_is_named_before_anything_starts(settings):
    with socket.socket() as other:
        other.bind((settings.mlflow_host, settings.mlflow_port))
        other.listen()
        with pytest.raises(ServiceError, match=f"port {settings.mlflow_port} .*PACKSHOT_MLFLOW_PORT"):
            run_servers(settings)
    assert not settings.home.exists()


def test_a_folder_without_procfile_is_refused(settings):
    (settings.root / "Procfile").unlink()
    with pytest.raises(InputError, match=r"PACKSHOT_ROOT.*Procfile"):
        run_servers(settings)


@pytest.mark.parametrize("field", ["prefect_host", "mlflow_host"])
def test_a_host_for_every_machine_needs_the_names_by_which_they_call_it(settings, field):
    opened = settings.model_copy(update={field: "0.0.0.0"})
    with pytest.raises(ServiceError, match=rf"PACKSHOT_{field.upper()}: 0\.0\.0\.0 .*PACKSHOT_ALLOWED_HOSTS"):
        refuse_nameless_hosts(opened)
    refuse_nameless_hosts(opened.model_copy(update={"allowed_hosts": "shop.example:4200"}))


def test_the_passwords_are_in_no_environment_but_the_users_own(settings, monkeypatch):
    made = load_credentials(settings.home, {})
    assert made.prefect.get_secret_value() not in process_environment(settings).values()
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "someone:own")
    assert process_environment(settings)["PREFECT_API_AUTH_STRING"] == "someone:own"
