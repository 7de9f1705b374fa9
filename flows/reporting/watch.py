"""A step's progress on the terminal and on the run's page in Prefect."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext

from flows.reporting.console import ConsoleProgress
from tasks.outlets.markup import to_markdown

EVERY_SECONDS = 3.0


class StepProgress:
    """A tasks.workspace.progress.Progress that draws a bar on the terminal and keeps a progress artifact in Prefect."""

    def __init__(self, label: str) -> None:
        self._label, self._console = label, ConsoleProgress(label)
        self._artifact: UUID | None = None
        self._told = 0.0
        self._in_flow = FlowRunContext.get() is not None

    def update(self, done: int, total: int, note: str = "") -> None:
        """Show that `done` of `total` units are finished."""
        self._console.update(done, total, note)
        now = time.monotonic()
        if self._in_flow and (done >= total or now - self._told > EVERY_SECONDS):
            self._told = now
            self._tell(100.0 * done / max(total, 1), note)

    def _tell(self, percent: float, note: str) -> None:
        text = to_markdown(note or self._label)
        if self._artifact is None:
            made = create_progress_artifact(percent, key=f"progress-{self._label}", description=text)
            self._artifact = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(self._artifact, progress=percent, description=text)

    def close(self) -> None:
        """Leave the bar where it is."""
        self._console.close()


@contextmanager
def step_progress(label: str) -> Iterator[StepProgress]:
    """A progress display for the duration of one step."""
    watch = StepProgress(label)
    try:
        yield watch
    finally:
        watch.close()
