"""Which requests come from our own pages or from programs, and which from a foreign page in the user's browser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tasks.workspace.settings import in_url

if TYPE_CHECKING:
    from starlette.datastructures import Headers

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = ("0.0.0.0", "[::]")
READING = {"GET", "HEAD"}


def host_names(host: str, port: int, others: Iterable[str] = ()) -> frozenset[str]:
    """The values of the header Host by which a server that listens on `host:port` is called; `others` as they are."""
    called = in_url(host)
    names = {called, *(LOOPBACK if called in (*LOOPBACK, *EVERYWHERE) else ())}
    with_port = {f"{name}:{port}" for name in names}
    return frozenset(name.lower() for name in {*with_port, *others, *(names if port == 80 else ())})


def refuse(method: str, headers: Headers, hosts: frozenset[str], friends: frozenset[str]) -> str | None:
    """Why a request is not let in, or None when it is.

    A browser says where a page comes from: `Host` is the name under which it found this server, which a page can
    choose by its DNS (rebinding); `Origin` and `Sec-Fetch-Site` (W3C Fetch Metadata) are the page's own, which no
    script can forge. Programs send neither of the two.

    Args:
        hosts: the names of this server.
        friends: hosts of the home's other servers, whose pages may show pictures of this one.
    """
    named = headers.getlist("host")
    if len(named) != 1 or named[0].lower() not in hosts:
        return "this name is not one of this server's (header Host); PACKSHOT_ALLOWED_HOSTS adds one"
    own = {f"{scheme}://{named[0].lower()}" for scheme in ("http", "https")}
    if any(origin.lower() not in own for origin in headers.getlist("origin")):
        return "a page of another origin asked (header Origin)"
    if set(headers.getlist("sec-fetch-site")) <= {"same-origin", "none"}:
        return None
    if method in READING and (_is_followed_link(headers) or _is_picture_for(headers, friends)):
        return None
    return "a page of another site asked (header Sec-Fetch-Site)"


def _is_followed_link(headers: Headers) -> bool:
    """The user followed a link to a page of ours; the page that held it cannot read ours, nor frame it."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _is_picture_for(headers: Headers, friends: frozenset[str]) -> bool:
    """A page of another server of ours shows a picture that this one keeps."""
    shown_by = headers.get("referer", "").partition("://")[2].partition("/")[0].lower()
    return headers.get("sec-fetch-dest") == "image" and shown_by in friends
