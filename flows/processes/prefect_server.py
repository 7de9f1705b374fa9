"""The Prefect server that a command needs: a running one, or its own, stopped by its last user."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from pydantic import SecretStr

from flows.processes.ports import answers, refuse_nameless_host, refuse_taken_port
from models.errors import ServiceError
from tasks.workspace.access import basic, is_own, is_refused
from tasks.workspace.credentials import FILE, PREFECT_AUTH, load_credentials
from tasks.workspace.settings import Settings
from tasks.workspace.storage import locked, storage_errors, write_atomically

if TYPE_CHECKING:
    import psutil

START_SECONDS = 180.0  # of a busy machine; one that ended is noticed at once
STOP_SECONDS = 10.0
BUSY_SECONDS = 10.0  # an existing server may be slow to answer; without one, the refusal comes at once
Result = TypeVar("Result")


def log_tail(path: Path, lines: int = 5) -> str:
    """The last non-empty `lines` of a log on one line, for an error message."""
    kept = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return " | ".join(kept[-lines:]) or "(empty)"


def given_url(settings: Settings) -> str | None:
    """The API that PREFECT_API_URL names, unless it is the settings' own: such a server is never started here."""
    url = os.environ.get("PREFECT_API_URL", "").rstrip("/")
    return url if url not in {"", f"{settings.prefect_url}/api"} else None


class PrefectServer:
    """A running Prefect server, found or started; several commands share one and the last of them stops it.

    Each user holds a shared lock that ends with its process, so a killed command neither stops a server that
    another one uses nor leaves one behind for ever: the next user adopts it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.given = given_url(settings) is not None
        self.url = given_url(settings) or f"{settings.prefect_url}/api"
        self.folder = settings.home / "prefect"
        self.log = self.folder / "server.log"
        self._record = self.folder / "server.json"
        self._users: IO[bytes] | None = None
        self._lent = False

    def start(self) -> None:
        """Find or start the server and return at once.

        Raises:
            ServiceError: the given server does not answer, or the port belongs to something else.
            StorageError: the passwords cannot be read or made.
        """
        if self.given:
            if not answers(f"{self.url}/health", seconds=3.0):
                raise ServiceError(
                    f"PREFECT_API_URL: no Prefect server answers at {self.url}; start it, or unset PREFECT_API_URL"
                )
            return
        self.lend_password()
        with self._sole():
            self._users = (self.folder / "server.users").open("ab")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            try:
                if self._started() is None and not answers(f"{self.url}/health", BUSY_SECONDS):
                    self._launch()
            except BaseException:
                self._users.close()
                self._take_password_back()
                raise

    def wait(self, seconds: float = START_SECONDS) -> str:
        """Block until the server answers, whoever started it, and return its API's address.

        Raises:
            ServiceError: the server ended, or did not answer in `seconds` (the message has the log's tail), or it is
                another home's, or it refuses the password.
        """
        deadline = time.monotonic() + seconds
        while not answers(f"{self.url}/health"):
            ended = self._users is not None and self._started() is None
            if ended or time.monotonic() > deadline:
                what = "ended before it answered" if ended else f"did not answer in {seconds:.0f} s"
                tail = log_tail(self.log) if self.log.exists() else "(no log)"
                raise ServiceError(f"the Prefect server at {self.url} {what}; its log {self.log} ends: {tail}")
            time.sleep(0.2)
        self._enter()
        return self.url

    def lend_password(self) -> None:
        """Let Prefect's client in this process find the home's password, unless the user set one; before its import."""
        if not self.given and not os.environ.get(PREFECT_AUTH):
            os.environ[PREFECT_AUTH] = load_credentials(self.settings.home).prefect.get_secret_value()
            self._lent = True

    def _take_password_back(self) -> None:
        if self._lent:
            del os.environ[PREFECT_AUTH]
            self._lent = False

    def _enter(self) -> None:
        """Raise a ServiceError unless the server is ours, or was named by the user, and takes the password."""
        settings = self.settings
        if not self.given and not is_own(self.url, settings.home, load_credentials(settings.home).server_key):
            raise ServiceError(
                f"port {settings.prefect_port} on {settings.prefect_host}: the Prefect server there is not that of "
                f"{settings.home}; stop it, or set PACKSHOT_PREFECT_PORT to a free port"
            )
        if is_refused(f"{self.url}/admin/version", authorization()):
            remedy = (
                "set PREFECT_API_AUTH_STRING (or PREFECT_API_KEY) to its own"
                if self.given
                else f"unset PREFECT_API_AUTH_STRING to use that of {settings.home / FILE}, or start the server again"
            )
            raise ServiceError(f"the Prefect server at {self.url} refuses the password: {remedy}")

    def stop(self) -> None:
        """Leave the server; when nobody else uses it and a command like this one started it, end it."""
        if self._users is None:
            return
        send_what_waits()
        self._take_password_back()
        with self._sole():
            fcntl.flock(self._users, fcntl.LOCK_UN)
            server = self._started()
            if server is not None and self._alone():
                end_session(server)
                self._record.unlink(missing_ok=True)
            self._users.close()
            self._users = None

    @contextmanager
    def _sole(self) -> Iterator[None]:
        with locked(self.folder / "server.lock", START_SECONDS, "starting or stopping the Prefect server"):
            yield

    def _alone(self) -> bool:
        try:
            fcntl.flock(self._users or -1, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _started(self) -> psutil.Process | None:
        """The process that this or another command started, if it still runs."""
        import psutil

        if not self._record.exists():
            return None
        record = json.loads(self._record.read_text())
        if record.get("home") != str(self.settings.home):  # of the home that this one is a copy of
            return None
        try:
            process = psutil.Process(record["pid"])
            alive = process.status() != psutil.STATUS_ZOMBIE and process.create_time() == record["created"]
        except psutil.NoSuchProcess:
            return None
        return process if alive else None

    def _launch(self) -> None:
        import psutil

        host, port = self.settings.prefect_host, self.settings.prefect_port
        refuse_nameless_host("PACKSHOT_PREFECT_HOST", host, self.settings)
        refuse_taken_port("Prefect", host, port)
        command = [sys.executable, "-m", "flows.processes.prefect_app"]
        output = (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), output, (os.POSIX_SPAWN_DUP2, 1, 2)]
        environment = {**os.environ, **self.settings.environment(), **self.settings.variables()}
        if self._lent:
            del environment[PREFECT_AUTH]  # it reads the file too
        with storage_errors(self.log):  # not subprocess.Popen, which complains when the server outlives its object
            pid = os.posix_spawn(sys.executable, command, environment, file_actions=actions, setsid=True)
        record = {"home": str(self.settings.home), "pid": pid, "created": psutil.Process(pid).create_time()}
        write_atomically(self._record, json.dumps(record).encode())


def authorization() -> str | None:
    """What Prefect's client in this process sends as the header Authorization."""
    password, key = os.environ.get(PREFECT_AUTH), os.environ.get("PREFECT_API_KEY")
    if password:
        return basic(SecretStr(password))
    return f"Bearer {key}" if key else None


def send_what_waits() -> None:
    """Send the logs and events that this process still holds, which would be lost with the server."""
    if "prefect" not in sys.modules:
        return
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=STOP_SECONDS)
    EventsWorker.drain_all(timeout=STOP_SECONDS)


def end_session(server: psutil.Process) -> None:
    """Interrupt the server, which leads a session of its own, and kill the session if it has not ended in 10 s."""
    import psutil

    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(STOP_SECONDS)  # its port is free only then


@contextmanager
def prefect_server(settings: Settings) -> Iterator[str]:
    """Yield the API's address of a running Prefect server, started for the block's time when there was none.

    Raises:
        ServiceError: PREFECT_API_URL names a server that does not answer, the port is taken by something else,
            or the server did not come up in time.
    """
    server = PrefectServer(settings)
    server.start()
    try:
        yield server.wait()
    finally:
        server.stop()


def with_prefect(settings: Settings, run: Callable[[], Result]) -> Result:
    """Call `run`, which calls a flow, with a Prefect server: a running one, or one started for the call."""
    from tasks.registry.server import check_tracking

    check_tracking(settings)
    with prefect_server(settings) as url:
        os.environ["PREFECT_API_URL"] = url
        return run()
