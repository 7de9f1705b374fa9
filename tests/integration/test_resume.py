"""A training that is killed with SIGKILL, started again, ends as if nothing had happened."""

import signal
import subprocess
import sys
import time

import pytest
import torch

from models.training.checkpoint import read_checkpoint
from tests.e2e.shop import wait_for
from tests.trainings import train

PRECISIONS = ("32-true", "bf16-mixed")
EPOCHS = 25
UPDATES = 4 * EPOCHS


def start(root, folder, precision):
    command = [sys.executable, "-m", "tests.trainings", str(folder), precision, str(EPOCHS)]
    return subprocess.Popen(command, cwd=root)


def kill_after_a_checkpoint(process, checkpoint):
    """Signal 9, without warning, at whatever the process is doing then."""
    wait_for(checkpoint.exists, process)
    time.sleep(0.2)
    process.kill()
    assert process.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def killed(request, tmp_path_factory):
    """Folders of trainings that were killed, by precision; started together, for most of their time is imports."""
    folders = {precision: tmp_path_factory.mktemp(precision) for precision in PRECISIONS}
    processes = [start(request.config.rootpath, folder, precision) for precision, folder in folders.items()]
    for process, folder in zip(processes, folders.values(), strict=True):
        kill_after_a_checkpoint(process, folder / "checkpoint.pt")
    return folders


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_killed_training_ends_with_the_same_bytes(killed, tmp_path, precision):
    folder = killed[precision]
    step = read_checkpoint(folder / "checkpoint.pt", torch.device("cpu"))["step"]
    assert 0 < step < UPDATES
    assert not (folder / "generator.safetensors").exists()

    expected, found = train(tmp_path, precision, EPOCHS), train(folder, precision, EPOCHS)
    assert (found.steps, found.best_step) == (UPDATES, expected.best_step)
    assert found.generator.read_bytes() == expected.generator.read_bytes()
    assert not list(folder.glob("*.part"))
