"""What a foreign page in the user's browser, and another account of the machine, reach of servers that really run."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from flows.processes.ports import answers
from flows.processes.sign_in import links
from serving.wall.sign_in import SIGN_IN_PATH
from tasks.workspace.access import PROOF_PATH, basic
from tasks.workspace.credentials import FILE, load_credentials
from tasks.workspace.settings import Settings
from tests.asgi_server import free_port, shake_hands
from tests.terminal import terminal

EVIL = "http://evil.example"
PASSWORDS = ("PREFECT_API_AUTH_STRING", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "PACKSHOT_SERVER_KEY")
SERVERS = ("PREFECT_API_URL", "MLFLOW_TRACKING_URI", "PREFECT_SERVER_API_AUTH_STRING")
BY_PAGES = {
    "form": {"origin": EVIL, "content-type": "text/plain", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    "old browser": {"origin": EVIL, "content-type": "text/plain"},
    "sandboxed frame": {"origin": "null", "content-type": "text/plain"},
    "another port": {"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site", "content-type": "text/plain"},
    "no origin": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "content-type": "text/plain"},
    "allowed by nobody": {"origin": EVIL, "content-type": "application/json", "sec-fetch-mode": "cors"},
}
CLIENT = """
import json, sys
from flows.processes.prefect_server import PrefectServer
from tasks.workspace.settings import Settings
from tasks.registry.tracking import open_tracking

settings = Settings()
server = PrefectServer(settings)
server.lend_password()
import os
os.environ["PREFECT_API_URL"] = server.wait()
from prefect import flow
from prefect.client.orchestration import get_client

@flow
def innocent():
    pass

with get_client(sync_client=True) as client:
    made = client.create_deployment(client.create_flow(innocent), name="innocent")
tracking = open_tracking(settings)
print(json.dumps({"deployment": str(made), "experiment": tracking.experiment("innocent"), "mlflow": tracking.uri}))
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkout")
    return Settings(root=root, PACKSHOT_HOME=root / "home", prefect_port=free_port(), mlflow_port=free_port())


@pytest.fixture(scope="module")
def environment(settings):
    """Of a process that has no password: it finds them by itself."""
    given = {name: value for name, value in os.environ.items() if name not in (*PASSWORDS, *SERVERS)}
    return {**given, **settings.environment(), **settings.variables()}


@pytest.fixture(scope="module")
def log(settings, environment):
    """What the two servers wrote, while they run."""
    log = settings.root / "servers.log"
    healthy = (f"{settings.prefect_url}/api/health", f"{settings.mlflow_url}/health")
    with ExitStack() as stack:
        output = stack.enter_context(log.open("w"))
        for module in ("flows.processes.prefect_app", "flows.processes.mlflow_app"):
            command = [sys.executable, "-m", module]
            server = stack.enter_context(subprocess.Popen(command, env=environment, stdout=output, stderr=output))
            stack.callback(server.terminate)
        deadline = time.monotonic() + 500
        while not all(map(answers, healthy)):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield log


@pytest.fixture(scope="module")
def http(log):
    """A client with more patience than its default of five seconds, for busy machines."""
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def known(settings, log):
    """The headers of somebody who knows the password, by the server's address."""
    credentials = load_credentials(settings.home)
    return {
        settings.prefect_url: {"authorization": basic(credentials.prefect)},
        settings.mlflow_url: {"authorization": basic(credentials.mlflow)},
    }


@pytest.fixture(scope="module")
def ours(environment, log):
    """What a client of the same home made with no password in its environment."""
    command = [sys.executable, "-c", CLIENT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def packshot(settings, log, capsys, monkeypatch):
    for name in (*PASSWORDS, *SERVERS):
        monkeypatch.delenv(name, raising=False)
    ports = {"PREFECT_PORT": settings.prefect_port, "MLFLOW_PORT": settings.mlflow_port}
    with terminal(capsys, ROOT=settings.root, HOME=settings.home, **ports) as run:
        yield run


def read_deployment(http, settings, known, deployment):
    return http.get(f"{settings.prefect_url}/api/deployments/{deployment}", headers=known[settings.prefect_url]).json()


def test_our_own_clients_find_the_password_by_themselves(settings, ours):
    assert ours["mlflow"] == settings.mlflow_url
    assert re.fullmatch(r"\d+", ours["experiment"])


@pytest.mark.parametrize("page", BY_PAGES)
def test_a_page_cannot_put_a_command_on_a_deployment(http, settings, known, ours, page):
    marker = settings.root / "ran"
    step = {"prefect.deployments.steps.run_shell_script": {"script": f"touch {marker}"}}
    attack = json.dumps({"pull_steps": [step]})
    # A browser adds no password of Prefect's by itself; even a page that knew it is refused.
    headers = {**BY_PAGES[page], **known[settings.prefect_url]}
    deployment = f"{settings.prefect_url}/api/deployments/{ours['deployment']}"
    for answer in (
        http.patch(deployment, content=attack, headers=headers),
        http.post(f"{deployment}/create_flow_run", content="{}", headers=headers),
        http.get(deployment, headers=headers),
    ):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert not read_deployment(http, settings, known, ours["deployment"])["pull_steps"]


@pytest.mark.parametrize("page", BY_PAGES)
def test_a_page_whose_browser_knows_mlflows_password_reaches_nothing(http, settings, known, page):
    headers = {**BY_PAGES[page], **known[settings.mlflow_url]}
    for method, path, body in (
        ("POST", "/api/2.0/mlflow/experiments/create", {"name": "evil"}),
        ("POST", "/ajax-api/2.0/mlflow/experiments/create", {"name": "evil"}),
        ("POST", "/graphql", {"query": "{ mlflowGetExperiment(input: {experimentId: 0}) { experiment { name } } }"}),
        ("GET", "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0", None),
        ("GET", "/get-artifact?path=x&run_uuid=y", None),
        ("GET", "/", None),
    ):
        answer = http.request(
            method, settings.mlflow_url + path, content=json.dumps(body) if body else None, headers=headers
        )
        assert answer.status_code == 403, path
        assert "access-control-allow-origin" not in answer.headers
    found = http.get(
        f"{settings.mlflow_url}/api/2.0/mlflow/experiments/get-by-name?experiment_name=evil",
        headers=known[settings.mlflow_url],
    )
    assert found.status_code == 404


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:9999", "http://localhost:3000"])
def test_a_preflight_allows_nothing(http, settings, log, origin):
    asked = {
        "origin": origin,
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,content-type",
    }
    for url in (f"{settings.prefect_url}/api/deployments/", f"{settings.mlflow_url}/api/2.0/mlflow/runs/create"):
        answer = http.options(url, headers=asked)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_name_that_was_rebound_to_this_machine_is_refused(http, settings, known):
    for url, port, paths in (
        (settings.prefect_url, settings.prefect_port, ("/", "/api/health", "/api/admin/version", "/openapi.json")),
        (settings.mlflow_url, settings.mlflow_port, ("/", "/health", "/version", SIGN_IN_PATH, PROOF_PATH)),
    ):
        rebound = {**known[url], "host": f"evil.example:{port}", "sec-fetch-site": "same-origin"}
        assert {http.get(url + path, headers=rebound).status_code for path in paths} == {403}
        assert shake_hands(port, "/api/events/out", {"Host": f"evil.example:{port}"}) == 403


def test_a_websocket_of_a_foreign_page_is_refused_and_one_without_the_password_is_closed(settings, known):
    prefect = settings.prefect_port
    for path in ("/api/events/in", "/api/events/out", "/api/logs/out", "/api/task_runs/subscriptions/scheduled"):
        foreign = {"Origin": EVIL, "Sec-WebSocket-Protocol": "prefect"}
        assert shake_hands(prefect, path, foreign) == 403
        address = f"ws://127.0.0.1:{prefect}{path}"
        with (
            connect(address, subprotocols=["prefect"], origin=settings.prefect_url, proxy=None) as socket,
            pytest.raises(ConnectionClosed),
        ):
            socket.send(json.dumps({"type": "auth", "token": "packshot:wrong"}))
            socket.recv(timeout=120)


def test_a_websocket_with_the_password_is_served(settings, known):
    token = load_credentials(settings.home).prefect.get_secret_value()
    address = f"ws://127.0.0.1:{settings.prefect_port}/api/events/out"
    with connect(address, subprotocols=["prefect"], origin=settings.prefect_url, proxy=None) as socket:
        socket.send(json.dumps({"type": "auth", "token": token}))
        assert json.loads(socket.recv(timeout=120))["type"] == "auth_success"


def test_every_route_of_prefect_asks_for_the_password(http, settings, known):
    schema = http.get(f"{settings.prefect_url}/api/openapi.json", headers=known[settings.prefect_url]).json()
    dummy = "00000000-0000-0000-0000-000000000000"
    routes = [
        (method.upper(), re.sub(r"\{[^}]*\}", dummy, path))
        for path, methods in schema["paths"].items()
        for method in methods
    ]
    assert len(routes) > 150
    with httpx.Client(base_url=f"{settings.prefect_url}/api", timeout=60) as client:
        answered = {path for method, path in routes if client.request(method, path).status_code != 401}
        assert client.get("/openapi.json").status_code == client.get("/docs").status_code == 401
    assert answered == {"/health", "/ready"}


def test_every_route_of_mlflow_asks_for_the_password(settings, log):
    from mlflow.server.handlers import get_endpoints

    routes = {
        (method, re.sub(r"<[^>]*>", "1", path)) for path, _, methods in get_endpoints() for method in methods or ["GET"]
    }
    assert len(routes) > 100
    others = (
        "/",
        "/graphql",
        "/get-artifact",
        "/model-versions/get-artifact",
        "/static-files/index.html",
        "/openapi.json",
    )
    with httpx.Client(base_url=settings.mlflow_url, timeout=60) as client:
        answered = {path for method, path in routes if client.request(method, path).status_code != 401}
        assert not answered
        assert {client.get(path).status_code for path in others} == {401}
        assert [client.get(path).status_code for path in ("/health", "/version")] == [200, 200]


def test_each_link_gives_a_browser_what_its_pages_then_send(http, settings, known):
    for _, link in links(settings):
        url, _, code = link.partition("#")
        page = {"origin": url.removesuffix(SIGN_IN_PATH), "sec-fetch-site": "same-origin"}
        assert http.get(url, headers={"sec-fetch-site": "none"}).status_code == 200
        given = http.post(url, content=code, headers=page).json()
        assert {"authorization": f"Basic {given['authorization']}"} == known[page["origin"]]
        assert http.post(url, content=code, headers=page).status_code == 403


def test_the_pages_own_sign_in_works(http, settings, known):
    prefect, mlflow = settings.prefect_url, settings.mlflow_url
    assert http.get(f"{prefect}/ui-settings").json()["auth"] == "BASIC"
    page = {"origin": prefect, "sec-fetch-site": "same-origin"}
    assert http.get(f"{prefect}/api/admin/version", headers={**page, **known[prefect]}).status_code == 200
    assert http.get(f"{prefect}/api/admin/version", headers=page).status_code == 401
    asked = http.get(f"{mlflow}/", headers={"sec-fetch-site": "none"})
    assert asked.headers["www-authenticate"].startswith("Basic ")
    shown = http.get(f"{mlflow}/", headers={"sec-fetch-site": "none", **known[mlflow]})
    assert (shown.status_code, "<html" in shown.text) == (200, True)


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"PREFECT_API_AUTH_STRING": "packshot:wrong"},
            "the Prefect server at {prefect}/api refuses the password: unset",
        ),
        (
            {"PREFECT_API_URL": "http://localhost:{port}/api"},
            "the Prefect server at http://localhost:{port}/api refuses",
        ),
        (
            {"PACKSHOT_HOME": "{root}/other"},
            "port {port} on 127.0.0.1: the Prefect server there is not that of {root}/",
        ),
        (
            {"MLFLOW_TRACKING_URI": "{mlflow}", "MLFLOW_TRACKING_PASSWORD": "wrong"},
            "the MLflow server at {mlflow} refuses MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD: unset both",
        ),
        (
            {"MLFLOW_TRACKING_URI": "{mlflow}", "PACKSHOT_HOME": "{root}/other"},
            "the MLflow server at {mlflow} refuses MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD: set them",
        ),
    ],
)
def test_a_client_without_the_password_is_told_so_in_one_line(packshot, settings, variables, line):
    names = {
        "prefect": settings.prefect_url,
        "mlflow": settings.mlflow_url,
        "port": settings.prefect_port,
        "root": settings.root,
    }
    os.environ.update({name: value.format(**names) for name, value in variables.items()})
    code, out, err = packshot("generate", "generate-shapes")
    assert (code, out) == (1, "")
    assert err.startswith(f"error: {line.format(**names)}")
    assert err.count("\n") == 1
    assert "wrong" not in err


def test_the_passwords_are_in_no_log_and_no_list_of_processes(settings, log, ours):
    listed = subprocess.run(["ps", "auxww"], capture_output=True, text=True, check=True).stdout
    assert "flows.processes.prefect_app" in listed
    written = listed + log.read_text() + json.dumps(ours)
    credentials = load_credentials(settings.home)
    for secret in (credentials.prefect, credentials.mlflow_password, credentials.server_key):
        password = secret.get_secret_value().removeprefix("packshot:")
        assert password in (settings.home / FILE).read_text()
        assert password not in written
