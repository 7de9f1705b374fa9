"""The project's exceptions: one base, one class per kind of mistake.

PackshotError
├── InputError        a value that a person gave: names the field, what was received and what is allowed
├── CatalogueError    a catalogue, or a file in it, cannot be used
│   ├── SourceError       no source could deliver the catalogue's bytes
│   └── ValidationFailed  the catalogue was read and judged unfit
├── StorageError      a disk is full, a folder cannot be written, a lock is held
├── ServiceError      a server cannot be reached, or a port is taken
├── RegistryError     a slot, version or alias is not in the registry, or must not move
├── LedgerError       the promotion ledger does not hold
├── TrainingError     a training cannot start, or stopped with its last good checkpoint kept
└── FamilyError       the file of a family does not define what it must
"""

from __future__ import annotations

from collections.abc import Iterable


class PackshotError(Exception):
    """Base of all errors that reach a user; the message is one line that says what to do."""


class InputError(PackshotError):
    """A value given by a person is not allowed."""

    def __init__(self, field: str, received: object, allowed: str | Iterable[object]) -> None:
        """Name the `field`, the value `received`, and what is `allowed` (a sentence, or the valid values)."""
        choices = allowed if isinstance(allowed, str) else "one of " + ", ".join(str(value) for value in allowed)
        super().__init__(f"{field}: got {received!r}, allowed: {choices}")
        self.field = field
        self.received = received


class CatalogueError(PackshotError):
    """A catalogue, or a file in it, cannot be used."""


class SourceError(CatalogueError):
    """No source could deliver the catalogue's bytes; the message lists each source and why."""


class ValidationFailed(CatalogueError):
    """The catalogue was read and judged unfit; nothing was trained on it."""


class StorageError(PackshotError):
    """A disk is full, a folder cannot be written, or a lock is held by another process."""


class ServiceError(PackshotError):
    """A server cannot be reached or a port is taken; the message has the address and what to do."""


class RegistryError(PackshotError):
    """A slot, version or alias is not in the registry, or must not be moved."""


class LedgerError(PackshotError):
    """The promotion ledger does not hold, or the registry is not as it says."""

    def __init__(self, what: str, heal: str) -> None:
        """Say what is wrong, and the one command that mends it."""
        super().__init__(what, heal)
        self.what, self.heal = what, heal

    def __str__(self) -> str:
        return f"ledger: {self.what}; to mend it: {self.heal}"


class TrainingError(PackshotError):
    """A training cannot start, or stopped; the last good checkpoint is kept."""


class FamilyError(PackshotError):
    """The file of a family does not define what it must; the message names the file and what is allowed."""
