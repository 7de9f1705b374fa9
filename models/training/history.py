"""A training's figures by update, kept for `history.csv` and passed to a log."""

from __future__ import annotations

import csv
import io
from typing import Protocol

import numpy as np
import numpy.typing as npt


class TrainingLog(Protocol):
    """Receives the trainer's figures, samples and progress."""

    def metrics(self, step: int, figures: dict[str, float]) -> None:
        """Losses, gradient norms, images per second and, now and then, the validation distance at `step`."""

    def samples(self, step: int, images: npt.NDArray[np.uint8]) -> None:
        """A grid's worth of images from the averaged generator, always of the same noise."""

    def progress(self, done: int, total: int, note: str) -> None:
        """`done` of `total` updates are finished."""


class History:
    """Rows of figures; `rows` holds plain numbers only, as a checkpoint must."""

    def __init__(self, log: TrainingLog, batch_size: int) -> None:
        self._log, self._batch_size = log, batch_size
        self.rows: list[dict[str, float]] = []

    def note(self, step: int, figures: dict[str, float]) -> None:
        """Keep the figures of update `step` and pass them to the log."""
        self.rows.append({"step": step, "images": step * self._batch_size} | figures)
        self._log.metrics(step, figures)

    def to_csv(self) -> str:
        """A column for every name that occurs; a figure that was not measured at a step is left empty."""
        text = io.StringIO()
        columns = dict.fromkeys(name for row in self.rows for name in row)
        writer = csv.DictWriter(text, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()
