"""The installation's key: it signs what the ledger says, so that who can write the files cannot write an entry."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.errors import LedgerError
from tasks.workspace.storage import locked, make_private, write_private

FILE = "ledger.key"
ADOPT = "packshot lineage --adopt"
LOCK_SECONDS = 30.0
KEY_DIGITS = 64


class LedgerKey(NamedTuple):
    """An Ed25519 key; `public` is its public half in hex, by which entries name it."""

    private: Ed25519PrivateKey
    public: str

    def sign(self, statement: str) -> str:
        """The signature of a statement, in hex."""
        return self.private.sign(statement.encode()).hex()

    def signed(self, statement: str, signature: str) -> bool:
        """Whether this key made the signature."""
        return _verify(self.public, statement, signature)


def find_key(home: Path) -> LedgerKey | None:
    """The key in `HOME/ledger.key`; None when there is none.

    Raises:
        LedgerError: the file is damaged, or other accounts may read or replace it.
    """
    path = home / FILE
    try:
        mode, text = path.lstat().st_mode, path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(f"{path} cannot be read as a key: put it back from a copy, or begin anew", ADOPT) from error
    if mode & 0o077:
        raise LedgerError(f"other accounts may read {path} (mode {mode & 0o777:o})", f"chmod 600 {path}")
    if home.stat().st_mode & 0o022:
        raise LedgerError(f"other accounts may replace {path}", f"chmod 700 {home}")
    try:
        secret = bytes.fromhex(text)
        return _key(Ed25519PrivateKey.from_private_bytes(secret))
    except ValueError as error:
        raise LedgerError(f"{path} is not a key: put it back from a copy, or begin anew", ADOPT) from error


def make_key(home: Path) -> LedgerKey:
    """The key of `home`, made with mode 600 when there is none, in a folder that others do not enter."""
    if not (home / FILE).exists():
        make_private(home)
    with locked(home / "locks" / "key.lock", LOCK_SECONDS, "making the ledger's key"):
        found = find_key(home)
        if found is None:
            found = _key(Ed25519PrivateKey.generate())
            write_private(home / FILE, f"{found.private.private_bytes_raw().hex()}\n".encode())
    return found


def _key(private: Ed25519PrivateKey) -> LedgerKey:
    return LedgerKey(private, private.public_key().public_bytes_raw().hex())


@lru_cache(maxsize=65_536)
def _verify(public: str, statement: str, signature: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), statement.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
