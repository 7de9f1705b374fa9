"""Which servers are this home's own, and whether they let a client in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

PROOF_PATH = "/packshot/proof"
SECONDS = 10.0  # an existing server may be slow to answer; without one, the refusal comes at once


def sign(key: SecretStr, purpose: str, *parts: object) -> bytes:
    """HMAC-SHA256 of a statement by the home's key; `purpose` keeps one kind of statement from serving as another."""
    statement = "\n".join([purpose, *map(str, parts)])
    return hmac.digest(key.get_secret_value().encode(), statement.encode(), hashlib.sha256)


def make_proof(key: SecretStr, home: Path, port: int, nonce: str) -> str:
    """What only a server of `home` can answer on `port` to a client's random `nonce`; a copy of a home has its key."""
    return sign(key, "proof", home, port, nonce).hex()


def is_own(url: str, home: Path, key: SecretStr, seconds: float = SECONDS) -> bool:
    """Whether the server at `url` is that of `home`: it knows its key and keeps its state there.

    It is asked before a password is sent to it: on a port of loopback any account of the machine may listen.
    """
    parts, nonce = urlsplit(url), secrets.token_urlsafe(16)
    try:
        with urllib.request.urlopen(f"http://{parts.netloc}{PROOF_PATH}?nonce={nonce}", timeout=seconds) as answer:
            proof = answer.read(128)
    except (OSError, ValueError):  # nobody there, or somebody who knows of no proof
        return False
    return hmac.compare_digest(proof, make_proof(key, home, parts.port or 80, nonce).encode())


def basic(user_and_password: SecretStr) -> str:
    """The header Authorization for USER:PASSWORD."""
    return "Basic " + base64.b64encode(user_and_password.get_secret_value().encode()).decode()


def is_refused(url: str, authorization: str | None, seconds: float = SECONDS) -> bool:
    """Whether a GET of `url` is answered with 401: the password is wrong or was not given."""
    headers = {"Authorization": authorization} if authorization else {}
    try:
        urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=seconds).close()
    except urllib.error.HTTPError as error:
        return error.code == 401
    except (OSError, ValueError):
        return False
    return False
