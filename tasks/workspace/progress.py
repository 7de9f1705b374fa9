"""How a long step reports progress, without knowing who displays it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A progress display: a bar on a terminal, an artifact in Prefect, or nothing."""

    def update(self, done: int, total: int, note: str = "") -> None:
        """Report that `done` of `total` units are finished; `note` is a short text such as `loss 0.41`."""


class NullProgress:
    """Displays nothing."""

    def update(self, done: int, total: int, note: str = "") -> None:
        """Ignore it."""
