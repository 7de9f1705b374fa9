"""The addresses on which servers listen: who answers there, and which of them may not be used."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

from models.errors import ServiceError
from serving.wall.origins import EVERYWHERE
from tasks.workspace.settings import Settings, in_url


def answers(url: str, seconds: float = 1.0) -> bool:
    """Whether a GET of `url` gives a 2xx answer within `seconds`."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:
            return bool(200 <= response.status < 300)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def port_taken(host: str, port: int) -> bool:
    """Whether a server cannot listen on `host:port` because another process does."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return True
    return False


def refuse_nameless_host(field: str, host: str, settings: Settings) -> None:
    """Raise a ServiceError when a server would listen for every machine and nobody said by which names they call it."""
    if in_url(host) in EVERYWHERE and not settings.other_names:
        raise ServiceError(
            f"{field}: {host} lets other machines in; say in PACKSHOT_ALLOWED_HOSTS by which names they reach this "
            f"one, such as shop.example:{settings.prefect_port}, or use 127.0.0.1"
        )


def refuse_taken_port(server: str, host: str, port: int) -> None:
    """Raise a ServiceError that names the port when something listens there already."""
    if port_taken(host, port):
        raise ServiceError(
            f"port {port} on {host} is in use, and {server} needs it: stop what listens there "
            f"(`ss -ltnp 'sport = :{port}'` names it), or set PACKSHOT_{server.upper()}_PORT to a free port"
        )
