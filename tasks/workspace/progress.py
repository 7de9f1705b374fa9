"""How a long step tells how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A listener: a progress bar on a terminal, an artifact in Prefect, or nothing."""

    def update(self, done: int, total: int, note: str = "") -> None:
        """Say that `done` of `total` units are finished; `note` is a short text such as `loss 0.41`."""


class NullProgress:
    """Listens to nothing."""

    def update(self, done: int, total: int, note: str = "") -> None:
        """Ignore the news."""
