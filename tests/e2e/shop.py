"""The command line as a person uses it: `packshot` in processes of its own, in a small checkout."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import yaml

from tasks.promotion.moves import make_champion
from tasks.workspace.credentials import load_credentials
from tasks.workspace.settings import Settings
from tests.catalogues import commit_all
from tests.workshop import PARAMS, make_workshop

PACKSHOT = Path(sys.executable).with_name("packshot")
SLOT = "generate-shapes"
TRAIN = ("train", "dcgan", "--catalogue", "shapes", "--epochs", "2", "--set", "batch_size=4")
SECONDS = 600


class Ended(NamedTuple):
    """A finished command: its exit code, and all that it said."""

    code: int
    out: str
    err: str

    def error(self, code: int = 1) -> str:
        """The one line that a failed command must have said last, and nothing like a traceback."""
        assert self.code == code, self
        assert "Traceback" not in self.out + self.err, self
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self
        assert self.err.splitlines()[-1] == lines[0], self
        return lines[0].removeprefix("error: ")

    def success(self) -> str:
        """Standard output of a command that must have succeeded."""
        assert self.code == 0, self
        assert "Traceback" not in self.out + self.err, self
        return self.out


@dataclass(frozen=True)
class Shop:
    """A checkout and a home for its state; every command joins the Prefect server on the settings' port."""

    settings: Settings
    server: Mapping[str, str] = field(default_factory=dict)
    """Variables that name the Prefect server when it is another home's."""

    def environment(self, **changes: str) -> dict[str, str]:
        """Of a command; `changes` are variables by their whole names."""
        strange = ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "MLFLOW_TRACKING_URI")
        given = {name: value for name, value in os.environ.items() if name not in strange}
        ours = {
            "ROOT": str(self.settings.root),
            "HOME": str(self.settings.home),
            "PREFECT_PORT": str(self.settings.prefect_port),
            "MLFLOW_PORT": str(self.settings.mlflow_port),
            "DEBIAN_DATASETS": str(self.settings.debian_datasets),
            "OFFLINE": "true",
        }
        named = {f"PACKSHOT_{name}": value for name, value in ours.items()}
        return {**given, "OMP_NUM_THREADS": "1", **named, **self.server, **changes}

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        """Start `packshot ARGUMENTS` and do not wait for it."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [PACKSHOT, *arguments], env=self.environment(**changes), stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *arguments: str, **changes: str) -> Ended:
        """Run `packshot ARGUMENTS` to its end."""
        return end(self.start(*arguments, **changes))

    def with_home(self, home: Path) -> Shop:
        """The same checkout with a state of its own, which has this one's rulers: training one takes long.

        It joins this one's Prefect server as it would a server of the user's, by its address and its password.
        """
        shutil.copytree(self.settings.home / "rulers", home / "rulers", ignore=shutil.ignore_patterns("registered-*"))
        ports = {"prefect_port": free_port(), "mlflow_port": free_port()}
        values = self.settings.model_dump(exclude={"home_"}) | ports
        password = load_credentials(self.settings.home, {}).prefect.get_secret_value()
        server = {"PREFECT_API_URL": f"{self.settings.prefect_url}/api", "PREFECT_API_AUTH_STRING": password}
        return replace(self, settings=Settings(**values, PACKSHOT_HOME=home), server=server)

    def promote(self) -> None:
        """Make the first version the champion: after so short a training the gate may not."""
        make_champion(self.settings, SLOT, 1, who="a test", why="a test")

    def checkpoint(self) -> Path | None:
        """The checkpoint of the home's one training, once it is there."""
        return next(self.settings.home.glob("trainings/*/checkpoint.pt"), None)


def end(process: subprocess.Popen[str]) -> Ended:
    """Wait for a started command."""
    out, err = process.communicate(timeout=SECONDS)
    return Ended(process.returncode, out, err)


def wait_for(what: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until `what` is true, while `process` runs."""
    deadline = time.monotonic() + SECONDS
    while not what():
        assert process.poll() is None, end(process)
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_shop(root: Path) -> Shop:
    """A checkout that trains in seconds."""
    settings = make_workshop(root)
    params = PARAMS | {"ruler": {"epochs": 1, "updates": 60, "batch_size": 16}}
    (settings.root / "params.yaml").write_text(yaml.safe_dump(params))
    commit_all(settings.root, "shorter")
    values = settings.model_dump(exclude={"home_"}) | {"prefect_port": free_port(), "mlflow_port": free_port()}
    return Shop(Settings(**values, PACKSHOT_HOME=settings.home))
