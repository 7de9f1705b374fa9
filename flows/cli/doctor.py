"""`packshot doctor`: what is installed, reachable, writable and configured, and what to do about what is not."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.processes.ports import answers, port_taken
from flows.processes.prefect_server import given_url
from flows.reporting.console import summary_table
from models.errors import ServiceError, StorageError
from tasks.auditing.audit import audit
from tasks.registry.locations import find_strays
from tasks.versions.repository import is_open
from tasks.workspace.access import is_own
from tasks.workspace.credentials import FILE, load_credentials
from tasks.workspace.git import ask_git
from tasks.workspace.records import StepRecords
from tasks.workspace.settings import Settings

Status = Literal["ok", "warn", "fail"]
LOCK_LINE = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)$", re.MULTILINE)
FREE_GIB = 5.0
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@dataclass(frozen=True)
class Check:
    """One thing looked at: `advice` is one line, and empty when all is well."""

    name: str
    status: Status
    found: str
    advice: str = ""


def diagnose(settings: Settings) -> list[Check]:
    """Examine the machine, the checkout, the state folder and the servers; writes nothing but a probe file."""
    looks: tuple[Callable[[Settings], Check], ...] = (
        check_python,
        check_packages,
        check_git,
        check_dvc,
        check_data,
        check_home,
        check_passwords,
        check_disk,
        check_databases,
        check_ledger,
        check_places,
        check_prefect,
        check_mlflow,
        check_debian,
        check_device,
        check_photos,
    )
    return [look_closely(look, settings) for look in looks]


def look_closely(look: Callable[[Settings], Check], settings: Settings) -> Check:
    """One check, or that a file that it needs is closed to this account."""
    try:
        return look(settings)
    except (OSError, StorageError) as error:
        advice = f"give {settings.home} back to this account, or set PACKSHOT_HOME to a folder of its own"
        return Check(look.__name__.removeprefix("check_"), "fail", str(error), advice)


def run_doctor(settings: Settings) -> int:
    """`packshot doctor`: diagnose and print; returns the process's exit code."""
    return print_diagnosis(diagnose(settings))


def print_diagnosis(checks: list[Check]) -> int:
    """Print the table; returns 1 when something failed, else 0."""
    rows = [(check.status, check.name, check.found, check.advice) for check in checks]
    summary_table("packshot doctor", ("", "what", "found", "what to do"), rows, COLOURS)
    return int(any(check.status == "fail" for check in checks))


def check_python(settings: Settings) -> Check:
    """Python 3.11 is what the lock was resolved for."""
    fine = sys.version_info[:2] == (3, 11)
    advice = "" if fine else "use Python 3.11: remove .venv and run `make venv`"
    return Check("Python", "ok" if fine else "fail", platform.python_version(), advice)


def lock_differences(lock: str) -> Iterator[str]:
    """Each package of a requirements.lock that is missing here or has another version."""
    for name, wanted in LOCK_LINE.findall(lock):
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} is missing"
            continue
        if found.partition("+")[0] != wanted.partition("+")[0]:
            yield f"{name} {found} instead of {wanted}"


def check_packages(settings: Settings) -> Check:
    """The installed versions are the lock's."""
    lock = settings.root / "requirements.lock"
    if not lock.is_file():
        return Check("packages", "warn", f"no {lock}", "run in a checkout, or set PACKSHOT_ROOT to one")
    differences = list(lock_differences(lock.read_text()))
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        return Check("packages", "warn", ", ".join(differences[:3]) + more, "run `make venv`")
    return Check("packages", "ok", "as requirements.lock pins them")


def check_git(settings: Settings) -> Check:
    """Each model carries the git commit that made it."""
    try:
        commit = ask_git(settings.root, "rev-parse", "--short", "HEAD")
    except ServiceError:
        return Check("git", "fail", "not found", "install the package git")
    if commit is None:
        return Check("git", "fail", f"no commit in {settings.root}", "run in a clone of the project with a commit")
    return Check("git", "ok", f"commit {commit.strip()}")


def check_dvc(settings: Settings) -> Check:
    """Catalogues are versioned by DVC."""
    if not (settings.root / ".dvc" / "config").is_file():
        return Check(
            "DVC", "fail", f"no DVC repository in {settings.root}", "run `packshot dvc init`, or set PACKSHOT_ROOT"
        )
    if is_open(settings.dvc_state):
        found = f"other accounts may write, or could have written, in {settings.dvc_state}, which DVC unpickles from"
        return Check("DVC", "fail", found, f"run `rm -r {settings.dvc_state}`: it is made anew")
    return Check("DVC", "ok", f"version {importlib.metadata.version('dvc')}")


def check_data(settings: Settings) -> Check:
    """The catalogues are pinned, and their bytes are here or will be fetched."""
    if not (settings.root / "data.dvc").is_file():
        return Check("data", "fail", "data.dvc is missing", "restore it: git checkout -- data.dvc")
    present = sorted(path.name for path in settings.data.iterdir() if path.is_dir()) if settings.data.is_dir() else []
    if not present:
        return Check("data", "warn", "pinned, not fetched yet", "the first `packshot train` or `make demo` fetches it")
    return Check("data", "ok", "pinned; here: " + ", ".join(present))


def nearest(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def check_home(settings: Settings) -> Check:
    """The folder of state can be written, and entered by its owner alone."""
    folder = nearest(settings.home)
    if settings.home.exists() and (mode := settings.home.stat().st_mode & 0o777) & 0o077:
        found = f"other accounts may enter {settings.home} (mode {mode:o})"
        return Check("state folder", "fail", found, f"run `chmod 700 {settings.home}`")
    if os.access(folder, os.W_OK | os.X_OK):
        return Check("state folder", "ok", str(settings.home))
    advice = f"make {folder} writable for you, or set PACKSHOT_HOME to a folder that is"
    return Check("state folder", "fail", f"{folder} is not writable", advice)


def check_passwords(settings: Settings) -> Check:
    """The servers' passwords are there, whole, and for their owner alone."""
    path = settings.home / FILE
    if not path.exists():
        return Check("passwords", "ok", "none yet; the first start of a server makes them")
    try:
        load_credentials(settings.home)
    except StorageError as error:
        return Check("passwords", "fail", str(error), f"delete {path} for new ones, and start the servers again")
    return Check("passwords", "ok", str(path))


def check_disk(settings: Settings) -> Check:
    """Catalogues, checkpoints and models need room."""
    free = shutil.disk_usage(nearest(settings.home)).free / 2**30
    if free < FREE_GIB:
        advice = f"free some space, or set PACKSHOT_HOME to a disk with {FREE_GIB:.0f} GiB"
        return Check("disk", "fail" if free < 1 else "warn", f"{free:.1f} GiB free", advice)
    return Check("disk", "ok", f"{free:.0f} GiB free")


def check_databases(settings: Settings) -> Check:
    """Prefect and MLflow keep the same Alembic table, so each needs a database of its own."""
    prefect = os.environ.get("PREFECT_API_DATABASE_CONNECTION_URL", settings.prefect_database)
    if prefect.partition("://")[2] == settings.mlflow_database.partition("://")[2]:
        return Check("databases", "fail", "Prefect and MLflow share one", "unset PREFECT_API_DATABASE_CONNECTION_URL")
    return Check("databases", "ok", "Prefect's and MLflow's are separate")


def check_ledger(settings: Settings) -> Check:
    """The ledger holds, and aliases, tags and bytes in the registry are what it says."""
    if not (settings.home / "mlflow").exists() and not (settings.home / "ledger.jsonl").exists():
        return Check("ledger", "ok", "no versions yet")
    try:
        entries, findings = audit(settings)
    except (ServiceError, StorageError) as error:
        return Check("ledger", "fail", str(error), "run packshot doctor again once that is mended")
    if findings:
        more = f" (and {len(findings) - 1} more: packshot lineage --verify)" if len(findings) > 1 else ""
        return Check("ledger", "fail", f"{findings[0].what}{more}", findings[0].heal)
    return Check("ledger", "ok", f"{len(entries)} entries, the chain and the registry hold")


def check_places(settings: Settings) -> Check:
    """What the home remembers lies within it, so that the checkout can move and a copy never writes into another."""
    database = settings.home / "mlflow" / "mlflow.db"
    outside = find_strays(database, settings.mlflow_artifacts) if database.exists() else []
    outside += StepRecords(settings.home).find_strays(settings.root)
    if outside:
        advice = f"copy what is there to {settings.home}, or delete the records that name it: {settings.home / 'steps'}"
        return Check("places", "warn", f"{len(outside)} records point elsewhere, first to {outside[0]}", advice)
    return Check("places", "ok", "all that is remembered lies in the checkout and its state folder")


def check_prefect(settings: Settings) -> Check:
    """The Prefect server is this home's, or its port is free for one."""
    given = given_url(settings)
    if given is not None and not answers(f"{given}/health"):
        return Check("Prefect", "fail", f"no answer from {given}", "start that server, or unset PREFECT_API_URL")
    return check_server("Prefect", settings.home, settings.prefect_url, settings.prefect_host, settings.prefect_port)


def check_mlflow(settings: Settings) -> Check:
    """The MLflow server is this home's, or its port is free for one."""
    return check_server("MLflow", settings.home, settings.mlflow_url, settings.mlflow_host, settings.mlflow_port)


def check_server(name: str, home: Path, url: str, host: str, port: int) -> Check:
    """A server on `url` that is this home's, a free port, or a port that something else took."""
    if answers_as_ours(home, url):
        return Check(name, "ok", f"answers at {url}")
    if port_taken(host, port):
        advice = f"stop what listens on port {port}, or set PACKSHOT_{name.upper()}_PORT to a free port"
        return Check(name, "fail", f"port {port} is taken by something else", advice)
    return Check(name, "ok", f"not running; port {port} is free (`packshot up` starts it)")


def answers_as_ours(home: Path, url: str) -> bool:
    """Whether the server at `url` proves to be the home's; a home without passwords has no server."""
    if not (home / FILE).exists():
        return False
    try:
        return is_own(url, home, load_credentials(home).server_key)
    except StorageError:  # check_passwords says what is wrong with them
        return False


def check_debian(settings: Settings) -> Check:
    """Debian's package is one source of Fashion-MNIST where torchvision's mirrors are out of reach."""
    installed = settings.debian_datasets / "fashion-mnist"
    if installed.is_dir():
        return Check("Debian's data sets", "ok", str(installed))
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        return Check("Debian's data sets", "ok", "apt-get can fetch them")
    advice = "only matters without internet: copy Fashion-MNIST's four files to data/fashion-mnist/"
    return Check("Debian's data sets", "warn", "no apt-get here", advice)


def check_device(settings: Settings) -> Check:
    """Where training runs, and whether its processor computes bfloat16 natively."""
    import torch

    if torch.cuda.is_available():
        return Check("device", "ok", f"{torch.cuda.get_device_name()}, bf16 {torch.cuda.is_bf16_supported()}")
    flags = Path("/proc/cpuinfo")
    native = flags.is_file() and re.search(r"avx512_bf16|amx_bf16", flags.read_text()) is not None
    found = f"CPU, {os.cpu_count()} cores, {'native' if native else 'no native'} bf16"
    return Check("device", "ok", found)


def check_photos(settings: Settings) -> Check:
    """Photographs for the optional tests; nothing else needs them."""
    folder = os.environ.get("PACKSHOT_PHOTOS")
    if folder is None:
        return Check("photographs", "ok", "not set (optional)")
    if not Path(folder).is_dir():
        return Check("photographs", "warn", f"{folder} is not a folder", "correct or unset PACKSHOT_PHOTOS")
    return Check("photographs", "ok", folder)
