"""A training in MLflow: one run, reopened when the training is resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import ServiceError
from tasks.photos.contact_sheet import grid, save_sheet
from tasks.provenance.sheet import SheetRecord
from tasks.provenance.source_type import GENERATED
from tasks.registry.tracking import Status, Tracking, open_tracking
from tasks.workspace.progress import Progress
from tasks.workspace.settings import Settings
from tasks.workspace.storage import write_atomically

if TYPE_CHECKING:
    from models.arrays import Images
    from models.families.family import FamilyConfig
    from models.training.trainer import Trained
    from tasks.dataset.prepared import PreparedSet

COLUMNS = 10
SAMPLES = "samples"
Show = Callable[[str, Path], None]
"""Called with each new grid of samples: the run that stores it under `SAMPLES`, and the file."""


class RunLog:
    """Logs a training to MLflow, in a run that a resumed training continues, and to any progress display."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        config: FamilyConfig,
        tags: dict[str, str],
        progress: Progress,
        show: Show,
    ) -> None:
        self._settings, self._folder, self._watch, self._show = settings, folder, progress, show
        self._tracking: Tracking = open_tracking(settings)
        path = folder / "run.json"
        run_id = json.loads(path.read_text())["run_id"] if path.exists() else None
        name = f"{config.family}-{folder.name[:8]}"
        params = flatten(config.model_dump())
        self.run_id = self._tracking.start_or_resume_run("train", run_id, name, tags, params)
        write_atomically(path, json.dumps({"run_id": self.run_id}).encode())

    def data(self, prepared: PreparedSet) -> None:
        """Log the catalogue's version as the run's data set; its digest is DVC's md5."""
        name, md5 = prepared.source, prepared.data_md5
        self._tell(lambda tracking: tracking.log_dataset(self.run_id, name, md5, f"data/{name}", "training"))

    def metrics(self, step: int, figures: dict[str, float]) -> None:
        """Log figures at `step`."""
        self._tell(lambda tracking: tracking.log_metrics(self.run_id, step, figures))

    def samples(self, step: int, images: Images) -> None:
        """Keep a grid of samples as a frame of the training's film strip."""
        path = self._folder / f"samples-{step:07d}.png"
        record = SheetRecord(about=f"samples after step {step} of run {self.run_id}", source_type=GENERATED)
        save_sheet(grid(images, COLUMNS), path, record)
        self.file(path, SAMPLES)
        self._show(self.run_id, path)

    def augmentation(self, images: Images) -> None:
        """Keep a picture of what the network sees, a row of training images above the same augmented."""
        path = self._folder / "augmentation.png"
        record = SheetRecord(about="training images above, augmented below")
        save_sheet(grid(images, COLUMNS), path, record)
        self.file(path)

    def file(self, path: Path, folder: str = "") -> None:
        """Log a file as an artifact of the run."""
        self._tell(lambda tracking: tracking.log_figure_file(self.run_id, path, folder))

    def progress(self, done: int, total: int, note: str) -> None:
        """Forward it to the progress bar or artifact."""
        self._watch.update(done, total, note)

    def finish(self, trained: Trained, difference: float) -> None:
        """Log the end of a completed training."""
        best = {f"best_{trained.criterion}": trained.best_value, "export_difference": difference}
        self.metrics(trained.steps, best)
        self.file(trained.history)
        self.end("FINISHED")

    def end(self, status: Status) -> None:
        """Close the run."""
        self._tell(lambda tracking: tracking.end_run(self.run_id, status))

    def _tell(self, news: Callable[[Tracking], None]) -> None:
        """Log to MLflow; if its server went away, retry once through whatever is left.

        Raises:
            ServiceError: nothing answers; the training stops, and the same command resumes it.
        """
        try:
            news(self._tracking)
        except ServiceError:
            self._tracking = open_tracking(self._settings)
            news(self._tracking)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested parameters as dotted names, the form MLflow shows."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
