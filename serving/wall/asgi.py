"""The ASGI application in front of a server: it lets in the server's own pages and programs that know the password."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from serving.wall.origins import refuse
from serving.wall.sign_in import ANOTHER, PAGE, SIGN_IN_PATH, Codes
from tasks.workspace.access import PROOF_PATH, basic, make_proof

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[Message, Receive, Send], Awaitable[None]]
LONGEST_NONCE = 64
LONGEST_CODE = 128
SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "content-security-policy": "connect-src 'self'",  # a page sends nothing elsewhere, its maker's statistics included
}


@dataclass(frozen=True)
class Entrance:
    """Who a server is, and whom it lets in."""

    title: str
    home: Path
    port: int
    hosts: frozenset[str]
    """The values of the header Host by which it is called."""
    key: SecretStr
    """The home's key: it proves to clients whose server this is, and signs the codes of links."""
    password: SecretStr
    """USER:PASSWORD"""
    keep: str
    """JavaScript by which the sign-in page keeps `authorization` (base64), or `user` and `password`."""
    open_paths: frozenset[str] | None = None
    """What needs no password; None when the application asks for it by itself."""
    friends: frozenset[str] = field(default=frozenset())
    """Hosts of the home's other servers, whose pages may show this one's pictures."""


class Wall:
    """Lets a request through to `app`, or answers it: 403 to foreign pages, 401 without the password."""

    def __init__(self, app: ASGI, entrance: Entrance) -> None:
        self.app, self.entrance = app, entrance
        self.codes = Codes(entrance.key, entrance.port)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        answer = await self._answer(scope, receive)
        if answer is None:
            await self.app(scope, receive, _with_safe_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})  # HTTP 403 before the handshake
        else:
            await answer(scope, receive, _with_safe_headers(send))

    async def _answer(self, scope: Message, receive: Receive) -> Response | None:
        """The wall's own answer; None when the application gives it."""
        headers, method = Headers(scope=scope), scope.get("method", "GET")
        reason = refuse(method, headers, self.entrance.hosts, self.entrance.friends)
        if reason is not None:
            return PlainTextResponse(f"refused: {reason}\n", 403)
        if scope["type"] == "http" and scope["path"] == PROOF_PATH and method == "GET":
            nonce = QueryParams(scope["query_string"]).get("nonce", "")[:LONGEST_NONCE]
            return PlainTextResponse(make_proof(self.entrance.key, self.entrance.home, self.entrance.port, nonce))
        if scope["type"] == "http" and scope["path"] == SIGN_IN_PATH:
            return await self._sign_in(Request(scope, receive), method)
        open_paths = self.entrance.open_paths
        if open_paths is None or scope["path"] in open_paths or self._knows_password(headers):
            return None
        text = f"sign in by the link that packshot up prints; {ANOTHER}\n"
        return PlainTextResponse(text, 401, {"www-authenticate": 'Basic realm="Packshot", charset="UTF-8"'})

    def _knows_password(self, headers: Headers) -> bool:
        given = headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, basic(self.entrance.password).encode())

    async def _sign_in(self, request: Request, method: str) -> Response:
        never_kept = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
        if method == "POST":
            code = b""
            async for chunk in request.stream():
                code += chunk[: LONGEST_CODE - len(code)]
            if not self.codes.accept(code.decode("latin-1")):
                return PlainTextResponse(f"this link was used, or is too old; {ANOTHER}\n", 403, never_kept)
            user, _, password = self.entrance.password.get_secret_value().partition(":")
            authorization = basic(self.entrance.password).removeprefix("Basic ")
            return JSONResponse({"authorization": authorization, "user": user, "password": password}, 200, never_kept)
        nonce = secrets.token_urlsafe(16)
        policy = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'"
        page = PAGE.format(title=self.entrance.title, keep=self.entrance.keep, nonce=nonce)
        framing = "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        return HTMLResponse(page, 200, {**never_kept, "content-security-policy": policy + framing})


def _with_safe_headers(send: Send) -> Send:
    async def send_safely(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SAFE.items():
                headers.setdefault(name, value)
        await send(message)

    return send_safely
