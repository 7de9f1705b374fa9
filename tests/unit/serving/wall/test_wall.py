"""The wall before a small application: which requests pass, which are answered, and how a browser signs in."""

import base64
import re
import time
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from serving.wall.asgi import Entrance, Wall
from serving.wall.origins import host_names, refuse
from serving.wall.sign_in import SIGN_IN_PATH, VALID_SECONDS, Codes, issue_code, sign_in_link
from tasks.workspace.access import PROOF_PATH, basic, is_own, is_refused, make_proof
from tests.asgi_server import free_port, running, shake_hands

PORT = 4200
HERE = f"127.0.0.1:{PORT}"
KEY = SecretStr("the home's key")
HOME = Path("/srv/shop/.packshot")
PASSWORD = SecretStr("packshot:a password")
HOSTS = host_names("127.0.0.1", PORT)
FRIENDS = host_names("127.0.0.1", 5000)
FOLLOWED = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
PICTURE = {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}


def application():
    async def page(request):
        return PlainTextResponse("inside")

    async def socket(websocket):
        await websocket.accept()
        await websocket.close()

    return Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST"]), WebSocketRoute("/socket", socket)])


def make_entrance(port=PORT, open_paths=frozenset({"/health"})):
    hosts = host_names("127.0.0.1", port)
    return Entrance("A server", HOME, port, hosts, KEY, PASSWORD, keep="", open_paths=open_paths, friends=FRIENDS)


@pytest.fixture(scope="module")
def port():
    """Of a server behind the wall."""
    port = free_port()
    with running(Wall(application(), make_entrance(port)), port):
        yield port


@pytest.fixture(scope="module")
def client(port):
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {}),  # a program
        ("GET", {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}),  # typed by the user
        ("POST", {"sec-fetch-site": "same-origin", "origin": f"http://{HERE}"}),
        ("POST", {"origin": f"https://{HERE}"}),  # behind a proxy that speaks TLS
        ("GET", FOLLOWED),
        ("GET", {**PICTURE, "referer": "http://127.0.0.1:5000/"}),
    ],
)
def test_our_own_pages_and_programs_are_let_in(method, headers):
    assert refuse(method, Headers({"host": HERE, **headers}), HOSTS, FRIENDS) is None


@pytest.mark.parametrize(
    ("method", "headers", "header"),
    [
        ("GET", {"host": f"evil.example:{PORT}"}, "Host"),
        ("GET", {"host": "127.0.0.1:4201"}, "Host"),
        ("GET", {"host": "127.0.0.1"}, "Host"),
        ("GET", {"host": ""}, "Host"),
        ("GET", {"origin": "http://evil.example"}, "Origin"),
        ("GET", {"origin": "http://127.0.0.1:5000"}, "Origin"),  # a friend shows pictures, no more
        ("GET", {"origin": f"http://localhost:{PORT}"}, "Origin"),  # another name is another origin
        ("POST", {"origin": "null"}, "Origin"),
        ("POST", {"origin": f"http://{HERE}.evil.example"}, "Origin"),
        ("POST", {"origin": ""}, "Origin"),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, "Sec-Fetch-Site"),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, "Sec-Fetch-Site"),
        ("GET", {**FOLLOWED, "sec-fetch-dest": "iframe"}, "Sec-Fetch-Site"),
        ("POST", FOLLOWED, "Sec-Fetch-Site"),
        ("GET", PICTURE, "Sec-Fetch-Site"),
        ("GET", {**PICTURE, "referer": "http://127.0.0.1:9999/"}, "Sec-Fetch-Site"),
        ("GET", {**PICTURE, "referer": "http://evil.example/127.0.0.1:5000/"}, "Sec-Fetch-Site"),
    ],
)
def test_what_a_foreign_page_sends_is_refused(method, headers, header):
    assert f"header {header}" in refuse(method, Headers({"host": HERE, **headers}), HOSTS, FRIENDS)


def test_two_hosts_are_none():
    twice = Headers(raw=[(b"host", HERE.encode()), (b"host", b"evil.example")])
    assert "Host" in refuse("GET", twice, HOSTS, FRIENDS)


def test_a_second_origin_does_not_hide_behind_our_own():
    twice = Headers(raw=[(b"host", HERE.encode()), (b"origin", f"http://{HERE}".encode()), (b"origin", b"http://evil")])
    assert "Origin" in refuse("GET", twice, HOSTS, FRIENDS)


@pytest.mark.parametrize(
    ("host", "port", "others", "called", "foreign"),
    [
        ("127.0.0.1", 80, (), {"127.0.0.1", "localhost", "[::1]:80"}, {"127.0.0.1:8080"}),
        ("::1", 4200, (), {"[::1]:4200", "localhost:4200"}, {"::1:4200"}),
        ("192.168.1.5", 4200, (), {"192.168.1.5:4200"}, {"localhost:4200"}),
        ("0.0.0.0", 4200, ("shop.example",), {"localhost:4200", "shop.example"}, {"evil.example:4200"}),
    ],
)
def test_the_names_of_a_server(host, port, others, called, foreign):
    names = host_names(host, port, others)
    assert called <= names
    assert not foreign & names


def test_without_the_password_only_open_paths_are_answered(client):
    assert client.get("/health").text == "inside"
    answer = client.get("/anything")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    wrong = [basic(SecretStr("packshot:wrong")), "Bearer x", "Basic", "Basic \xe9"]
    assert {client.get("/x", headers={"authorization": one.encode("latin-1")}).status_code for one in wrong} == {401}
    assert client.post("/x", headers={"authorization": basic(PASSWORD)}).text == "inside"


def test_the_password_does_not_help_a_foreign_page(client):
    known = {"authorization": basic(PASSWORD)}
    answer = client.post("/x", headers={**known, "origin": "http://evil.example"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert client.get("/health", headers={"host": "evil.example:4200"}).status_code == 403


def test_a_websocket_is_walled_as_a_request_is(port):
    known = {"Authorization": basic(PASSWORD)}
    assert shake_hands(port, "/socket", known) == 101
    for headers in ({}, {**known, "Origin": "http://evil.example"}, {**known, "Host": f"evil.example:{port}"}):
        assert shake_hands(port, "/socket", headers) == 403


def test_an_application_that_asks_by_itself_is_left_to_ask():
    port = free_port()
    with running(Wall(application(), make_entrance(port, open_paths=None)), port):
        assert httpx.get(f"http://127.0.0.1:{port}/x").text == "inside"
        assert httpx.get(f"http://127.0.0.1:{port}/x", headers={"origin": "http://evil.example"}).status_code == 403


def test_every_answer_has_the_headers_that_keep_a_page_to_itself(client):
    for path in ("/health", "/x", SIGN_IN_PATH):
        answer = client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        assert "connect-src 'self'" in answer.headers["content-security-policy"]


def test_a_link_signs_in_once(client, port):
    code = sign_in_link("http://here", KEY, port).partition("#")[2]
    page = client.get(SIGN_IN_PATH)
    nonce = re.search(r"script-src 'nonce-(.+?)'", page.headers["content-security-policy"])[1]
    assert f'<script nonce="{nonce}">' in page.text
    assert "a password" not in page.text
    answer = client.post(SIGN_IN_PATH, content=code)
    assert answer.json() == {
        "authorization": base64.b64encode(b"packshot:a password").decode(),
        "user": "packshot",
        "password": "a password",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert client.post(SIGN_IN_PATH, content=code).status_code == 403


def test_a_foreign_page_gets_nothing_for_a_code(client, port):
    code = issue_code(KEY, port)
    assert client.post(SIGN_IN_PATH, content=code, headers={"origin": "http://evil.example"}).status_code == 403
    assert client.post(SIGN_IN_PATH, content=code).status_code == 200, "and it was not spent by that"


def test_only_a_fresh_code_of_this_home_and_server_is_good():
    before = issue_code(KEY, PORT)
    codes = Codes(KEY, PORT)
    now = time.time_ns()
    late = now + (VALID_SECONDS + 1) * 10**9
    assert not codes.accept(before), "it is older than the server"
    assert not codes.accept(issue_code(SecretStr("another key"), PORT))
    assert not codes.accept(issue_code(KEY, PORT + 1))
    assert not codes.accept(issue_code(KEY, PORT, now), late)
    for nonsense in ("", "x", "é", "a" * 32, issue_code(KEY, PORT)[:-1], make_proof(KEY, HOME, PORT, "x")):
        assert not codes.accept(nonsense)
    assert codes.accept(issue_code(KEY, PORT))


def test_a_long_body_is_no_code(client, port):
    assert client.post(SIGN_IN_PATH, content=issue_code(KEY, port) + "x" * 10**6).status_code == 403


def test_a_server_proves_whose_it_is_before_a_password_is_sent(port):
    url = f"http://127.0.0.1:{port}"
    assert is_own(url, HOME, KEY)
    assert not is_own(url, HOME, SecretStr("another home's key"))
    assert not is_own(url, Path("/srv/copy/.packshot"), KEY)
    assert not is_own(f"http://127.0.0.1:{free_port()}", HOME, KEY)
    assert is_refused(f"{url}/x", None)
    assert is_refused(f"{url}/x", basic(SecretStr("packshot:wrong")))
    assert not is_refused(f"{url}/x", basic(PASSWORD))


def test_a_proof_that_was_passed_on_from_another_port_is_none(client, port):
    passed_on = client.get(PROOF_PATH, params={"nonce": "n"}).text
    assert passed_on == make_proof(KEY, HOME, port, "n")
    assert passed_on != make_proof(KEY, HOME, port + 1, "n")


def test_something_else_on_the_port_has_no_proof():
    other = free_port()
    with running(application(), other):
        assert not is_own(f"http://127.0.0.1:{other}", HOME, KEY)
