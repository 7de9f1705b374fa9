"""One training through a full disk, SIGKILL and a lost MLflow server: it ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient

from flows.processes.ports import answers
from tasks.registry.versions import list_versions
from tasks.workspace.settings import Settings
from tests.e2e.shop import SLOT, TRAIN, Shop, end, free_port, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
COMMAND = (*TRAIN, "--seed", "0")
OFTEN = {"PACKSHOT_CHECKPOINT_SECONDS": "0.1"}


@pytest.fixture(scope="module")
def disk(tmp_path_factory) -> Iterator[Path]:
    """A disk of 64 MB where a tmpfs may be mounted, else a folder."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    yield folder
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def other(champion, disk) -> Shop:
    """The shop with a second home, where nothing was trained yet."""
    return champion.with_home(disk / "home")


@pytest.fixture
def tiny_disk(disk) -> Path:
    """The disk, where it can be filled without harm."""
    if not disk.is_mount():
        pytest.skip("only root may mount a tmpfs")
    return disk


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """The disk without a byte left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (2**20, 2**12, 1):
            try:
                while stream.write(bytes(size)):
                    pass
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def mlflow_server(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The home's MLflow server, which writes each request to `log`."""
    code = f"import uvicorn\nuvicorn.run(build_app(Settings()), port={settings.mlflow_port})"
    imports = "from flows.processes.mlflow_app import build_app\nfrom tasks.workspace.settings import Settings\n"
    command = [sys.executable, "-c", imports + code]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **settings.variables()}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_full_disk_stops_a_training_with_one_line(other, tiny_disk):
    process = other.start(*COMMAND, **OFTEN)
    wait_for(other.checkpoint, process)
    with filled(tiny_disk):
        assert end(process).error().startswith("disk full: writing ")
    assert other.checkpoint() is not None
    assert not list(other.settings.home.glob("trainings/*/result.json"))


def test_the_same_command_goes_on_after_sigkill_and_without_its_mlflow_server(champion, other, tmp_path):
    process = other.start(*COMMAND, **OFTEN)
    wait_for(other.checkpoint, process)
    process.kill()
    assert end(process).code == -signal.SIGKILL
    saved = other.checkpoint().stat().st_mtime_ns

    log = tmp_path / "mlflow.log"
    with mlflow_server(other.settings, log) as server:
        wait_for(lambda: answers(f"{other.settings.mlflow_url}/health"), server)
        process = other.start(*COMMAND, **OFTEN, MLFLOW_HTTP_REQUEST_MAX_RETRIES="1")
        wait_for(lambda: other.checkpoint().stat().st_mtime_ns > saved, process)
        os.killpg(server.pid, signal.SIGKILL)
        end(process).success()
    assert b"/api/2.0/mlflow/runs/log-batch" in log.read_bytes()

    (made,) = list_versions(other.settings, SLOT)
    bytes_of_seed_0 = {version.tags["onnx_sha256"] for version in list_versions(champion.settings, SLOT)}
    assert made.tags["onnx_sha256"] in bytes_of_seed_0


def test_images_are_made_once_the_disk_has_room(other, tiny_disk):
    other.promote()
    command = ("generate", SLOT, "--count", "4", "--out", str(tiny_disk / "images"))
    with filled(tiny_disk):
        assert other.run(*command).error().startswith("disk full: writing ")
    assert "4 images" in other.run(*command).success()


def test_a_champion_that_was_deleted_in_mlflow_is_missed(other):
    other.promote()
    (made,) = list_versions(other.settings, SLOT)
    MlflowClient(other.settings.mlflow_database).delete_model_version(SLOT, str(made.version))
    missed = other.run("generate", SLOT, "--count", "1").error()
    assert f"the ledger names version {made.version}: it was deleted" in missed


def test_an_mlflow_server_that_never_answers_is_named_at_once(other):
    address = f"http://127.0.0.1:{free_port()}"
    refused = other.run("generate", SLOT, MLFLOW_TRACKING_URI=address).error()
    assert refused.startswith(f"MLflow does not answer at {address} (")
    assert "packshot up" in refused
