"""Finding the Prefect server, and what is said when there is none; tests/integration starts one."""

import json
import os
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import psutil
import pytest

from flows.processes.ports import answers, port_taken
from flows.processes.prefect_server import PrefectServer, log_tail, prefect_server
from models.errors import ServiceError
from tasks.workspace.settings import Settings
from tasks.workspace.storage import write_atomically


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200 if self.path == "/fine" else 500)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def pages():
    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def settings(tmp_path, monkeypatch, free_port):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PACKSHOT_HOME", str(tmp_path / "home"))
    return Settings(root=tmp_path, prefect_port=free_port)


def address(server):
    return f"http://127.0.0.1:{server.server_port}"


def test_answers_only_to_success(pages, free_port):
    assert answers(f"{address(pages)}/fine")
    assert not answers(f"{address(pages)}/broken")
    assert not answers(f"http://127.0.0.1:{free_port}")


def test_answers_gives_up_on_a_silent_server():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        # Without a limit of its own the answer would be waited for until pytest's.
        assert not answers(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.3)


def test_port_taken_tells_a_listener_from_a_free_port(pages, free_port):
    assert port_taken("127.0.0.1", pages.server_port)
    assert not port_taken("127.0.0.1", free_port)


def test_log_tail_is_one_line_of_the_last_ones(tmp_path):
    log = tmp_path / "log"
    log.write_text("first\n\nsecond\n  third\n")
    assert log_tail(log, lines=2) == "second | third"


def test_a_given_server_that_does_not_answer_is_asked_once_and_none_is_started(settings, monkeypatch, pages):
    monkeypatch.setenv("PREFECT_API_URL", f"{address(pages)}/api")
    with pytest.raises(ServiceError, match=r"PREFECT_API_URL.*127.0.0.1:.*/api.*unset"):
        PrefectServer(settings).start()
    assert pages.asked == ["/api/health"]
    assert not settings.home.exists()


def test_the_own_address_in_the_environment_is_not_a_given_server(settings, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", f"{settings.prefect_url}/api")
    assert not PrefectServer(settings).given
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.example.org/api")
    assert PrefectServer(settings).given


def test_waiting_for_a_server_that_nobody_starts_ends(settings):
    with pytest.raises(ServiceError, match=r"did not answer in 1 s"):
        PrefectServer(settings).wait(seconds=1.0)


def test_a_port_taken_by_something_else_is_named(settings, pages):
    port = pages.server_port
    taken = settings.model_copy(update={"prefect_port": port})
    with pytest.raises(ServiceError, match=f"port {port} .*PACKSHOT_PREFECT_PORT"), prefect_server(taken):
        pass


def test_a_copy_of_a_home_does_not_take_the_originals_server_for_its_own(settings, tmp_path):
    running = {"home": str(settings.home), "pid": os.getpid(), "created": psutil.Process().create_time()}
    write_atomically(settings.home / "prefect" / "server.json", json.dumps(running).encode())
    assert PrefectServer(settings)._started() == psutil.Process()
    shutil.copytree(settings.home, tmp_path / "copy")
    assert PrefectServer(Settings(root=tmp_path, PACKSHOT_HOME=tmp_path / "copy"))._started() is None
