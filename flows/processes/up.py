"""`packshot up`: the processes of the Procfile, run and stopped together."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
from honcho.environ import parse_procfile
from honcho.manager import SIGNALS, Manager

from flows.processes.deployments import ready_file
from flows.processes.ports import answers, refuse_nameless_host, refuse_taken_port
from flows.processes.sign_in import print_links
from flows.reporting.console import EXIT_INTERRUPTED, summary_table
from models.errors import InputError, ServiceError
from tasks.promotion.shipments import awaits_shipping
from tasks.workspace.credentials import load_credentials
from tasks.workspace.settings import Settings
from tasks.workspace.storage import make_private, storage_errors

WORKER = "deployments"
WORKER_SECONDS = 10.0
KILL_SECONDS = 20.0
HEALTH_SECONDS = 180.0


def run_servers(settings: Settings) -> None:
    """Run the Procfile's processes until Ctrl-C or SIGTERM, and leave none of them behind.

    Raises:
        InputError: there is no Procfile under the settings' root.
        ServiceError: a port is taken, a host has no name for browsers, or a process ended by itself.
    """
    procfile = settings.root / "Procfile"
    if not procfile.is_file():
        raise InputError("PACKSHOT_ROOT", str(settings.root), "a checkout of Packshot, which has a Procfile")
    refuse_nameless_hosts(settings)
    refuse_taken_port("Prefect", settings.prefect_host, settings.prefect_port)
    refuse_taken_port("MLflow", settings.mlflow_host, settings.mlflow_port)
    load_credentials(settings.home)  # made once, before three processes look for them
    make_folders(settings)
    ship_weights(settings)
    processes = Processes(settings)
    for name, command in parse_procfile(procfile.read_text()).processes.items():
        processes.add_process(name, command, env=process_environment(settings), cwd=str(settings.root))
    processes.loop()
    processes.end_leftovers()
    if processes.returncode not in {signal["rc"] for signal in SIGNALS.values()}:
        raise ServiceError(f"{processes.ended_first()} ended by itself; its last lines above say why")


def refuse_nameless_hosts(settings: Settings) -> None:
    """Raise a ServiceError when a server would listen for every machine and nobody said by which names they call it."""
    refuse_nameless_host("PACKSHOT_PREFECT_HOST", settings.prefect_host, settings)
    refuse_nameless_host("PACKSHOT_MLFLOW_HOST", settings.mlflow_host, settings)


def make_folders(settings: Settings) -> None:
    """Make the folders of state."""
    make_private(settings.home)
    for folder in (settings.home / "prefect", settings.mlflow_artifacts):
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    ready_file(settings).unlink(missing_ok=True)


def ship_weights(settings: Settings) -> None:
    """Register the shipped weights if necessary, in a process that ends before the servers start.

    Raises:
        ServiceError: they cannot be registered.
    """
    if not awaits_shipping(settings.home):
        return
    command = [sys.executable, "-m", "flows.processes.shipping"]
    ended = subprocess.run(command, env=process_environment(settings), cwd=settings.root, check=False)
    if ended.returncode == EXIT_INTERRUPTED:
        raise KeyboardInterrupt
    if ended.returncode:
        raise ServiceError("the shipped weights were not registered; the line above says why")


def process_environment(settings: Settings) -> dict[str, str]:
    """The environment of every process of the Procfile; the user's values stay, except those that are ours to set.

    The passwords are not in it unless the user put them there: each process reads them from the home.
    """
    return {
        **os.environ,
        **settings.environment(),
        **settings.variables(),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "PREFECT_API_URL": f"{settings.prefect_url}/api",
    }


class Processes(Manager):  # type: ignore[misc]  # honcho has no types
    """Honcho's manager, which reports when everything is up, and stops the worker before the servers it reports to."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self._stopping_since: float | None = None
        self._leftovers: list[psutil.Process] = []

    def _start(self) -> None:
        super()._start()
        threading.Thread(target=self._announce, daemon=True).start()  # after the forks, which copy no thread

    def _announce(self) -> None:
        """Print the addresses once every process answers, or the ones that do not."""
        deadline = time.monotonic() + HEALTH_SECONDS
        while not all(health(self.settings).values()):
            if self._stopping_since is not None:
                return
            if time.monotonic() > deadline:
                break
            time.sleep(0.3)
        print_addresses(self.settings)
        print_links(self.settings)

    def terminate(self) -> None:
        """Ask the worker to stop, then the servers; called again, ask all of them at once."""
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self._step_down()
        elif self._all_started():
            super().terminate()

    def _step_down(self) -> None:
        """Take the next step of the stop that is due; it runs again until the servers were asked."""
        waited = time.monotonic() - (self._stopping_since or 0.0)
        worker = self._processes.get(WORKER, {})
        if self._all_started():
            if not self._leftovers:
                self._leftovers = psutil.Process().children(recursive=True)
                if "returncode" not in worker and worker:
                    self._procmgr.terminate(worker["pid"])
            if not worker or "returncode" in worker or waited > WORKER_SECONDS:
                super().terminate()
                return
        timer = threading.Timer(0.1, self._step_down)
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        """Kill what is left after it had time to stop by itself."""
        if time.monotonic() - (self._stopping_since or 0.0) > KILL_SECONDS:
            super().kill()

    def end_leftovers(self) -> None:
        """Kill the descendants, such as runs in sessions of their own, that outlived the process that started them."""
        for process in self._leftovers:
            if process.is_running():
                process.kill()
        psutil.wait_procs(self._leftovers, timeout=5)

    def ended_first(self) -> str:
        """The name of a process that ended with an error, for the message."""
        return next(
            (name for name, process in self._processes.items() if process.get("returncode", 0) > 0), "a process"
        )


def health(settings: Settings) -> dict[str, bool]:
    """Process name -> whether it answers now."""
    return {
        "prefect": answers(f"{settings.prefect_url}/api/health"),
        "mlflow": answers(f"{settings.mlflow_url}/health"),
        WORKER: ready_file(settings).exists(),
    }


def print_addresses(settings: Settings) -> None:
    """Print where each process is, and whether it answers."""
    where = {
        "prefect": f"{settings.prefect_url}  runs, forms, schedules",
        "mlflow": f"{settings.mlflow_url}  runs, models, figures",
        WORKER: f"{settings.prefect_url}/deployments  train, retrain, promote, rollback, generate, edit",
    }
    rows = [(name, "up" if fine else "no answer", where[name]) for name, fine in health(settings).items()]
    summary_table("packshot up (Ctrl-C stops all of it)", ("process", "state", "address"), rows, {"no answer": "red"})
