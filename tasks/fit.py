"""Fit a family to a prepared set: one resumable training, told to MLflow as it goes, ending in a checked ONNX file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict

from models import FAMILIES, load_family
from models.augmentation import build_augmentation
from models.exported import ExportedRuler, export_generator
from models.family import Family, FamilyConfig, ImageShape
from models.metrics import frechet_distance
from models.pixels import to_planes
from models.speed import SpeedPlan, choose_plan
from models.trainer import Score, Trainer
from tasks.contact_sheet import grid
from tasks.prepared import PreparedSet
from tasks.progress import Progress
from tasks.ruler import RulerFile
from tasks.run_log import COLUMNS, RunLog, Show
from tasks.settings import Settings
from tasks.steps import Step, digest_code, digest_json
from tasks.storage import digest_file, locked, storage_errors, write_atomically

CODE = (
    "models.trainer",
    "models.average",
    "models.checkpoint",
    "models.files",
    "models.history",
    "models.family",
    "models.augmentation",
    "models.pixels",
    "models.exported",
    "tasks.fit",
)


class FitResult(BaseModel):
    """A finished training; its folder holds `generator.onnx`, its weights, `history.csv` and sample grids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    family: str
    folder: Path
    run_id: str
    steps: int
    best_step: int
    best_distance: float
    seconds: float
    images_per_second: float
    plan: SpeedPlan
    export_difference: float
    onnx_sha256: str

    @property
    def onnx(self) -> Path:
        """The exported generator."""
        return self.folder / "generator.onnx"


def fit_step(prepared: PreparedSet, config: FamilyConfig, ruler: RulerFile) -> Step:
    """What a training depends on: equal digests mean that it need not be done again."""
    module = FAMILIES[config.family].partition(":")[0]
    return Step(
        name="fit",
        inputs={
            "prepared": prepared.key,
            "recipe": digest_json(config.model_dump()),
            "ruler": ruler.digest,
            "code": digest_code(*CODE, module),
        },
    )


def fit(
    settings: Settings,
    prepared: PreparedSet,
    config: FamilyConfig,
    ruler: RulerFile,
    key: str,
    tags: dict[str, str],
    progress: Progress,
    show: Show,
) -> FitResult:
    """Train, or go on with a training that was stopped, in `HOME/trainings/KEY`.

    Raises:
        TrainingError: a loss was not finite, or the exported file differs from the trained network.
        StorageError: the disk is full (the last checkpoint is kept), or another process trains the same for too long.
        ServiceError: MLflow was lost and did not come back; the same command resumes.
    """
    folder = settings.home / "trainings" / key
    with locked(folder / "lock", seconds=24 * 3600, doing="training the same recipe on the same data"):
        result = folder / "result.json"
        if result.exists():
            return FitResult.model_validate_json(result.read_text())
        with storage_errors(folder):
            fitted = _fit(settings, prepared, config, ruler, folder, tags, progress, show)
        write_atomically(result, fitted.model_dump_json(indent=1).encode())
        return fitted


def _fit(
    settings: Settings,
    prepared: PreparedSet,
    config: FamilyConfig,
    ruler: RulerFile,
    folder: Path,
    tags: dict[str, str],
    progress: Progress,
    show: Show,
) -> FitResult:
    plan = _plan(settings, prepared, config)
    log = RunLog(settings, folder, config, tags | {"speed_plan": plan.model_dump_json()}, progress, show)
    log.data(prepared)
    family = build_family(config, prepared)
    images, labels = prepared.images("train"), prepared.labels("train")
    score = make_score(prepared, ruler)
    trainer = Trainer(family, images, labels, folder, plan, score, log, settings.checkpoint_seconds)
    if not (folder / "untrained.npy").exists():
        np.save(folder / "untrained.npy", trainer.sample(2048, config.seed)[0])
    _show_augmentation(images, config, folder / "augmentation.png")
    log.file(folder / "augmentation.png")
    try:
        trained = trainer.run()
    except BaseException:
        log.end("KILLED")
        raise
    difference = export_generator(family, trained.generator, prepared.categories, folder / "generator.onnx")
    log.finish(trained, difference)
    return FitResult(
        key=folder.name,
        family=config.family,
        folder=folder,
        run_id=log.run_id,
        steps=trained.steps,
        best_step=trained.best_step,
        best_distance=trained.best_distance,
        seconds=round(trained.seconds, 1),
        images_per_second=round(trained.steps * config.batch_size / trained.seconds, 1),
        plan=plan,
        export_difference=difference,
        onnx_sha256=digest_file(folder / "generator.onnx"),
    )


def build_family(config: FamilyConfig, prepared: PreparedSet) -> Family:
    """The family's networks for the prepared images, with the weights that the seed gives."""
    torch.manual_seed(config.seed)
    shape = ImageShape(prepared.shape[2], prepared.shape[0], len(prepared.categories))
    return load_family(config.family)(config, shape)


def make_score(prepared: PreparedSet, ruler: RulerFile) -> Score:
    """The Fréchet distance of generated images to the validation split, by the ruler."""
    measuring = ExportedRuler(ruler.path)
    real = torch.from_numpy(measuring.measure(prepared.images("validation"))[0])

    def score(images: npt.NDArray[np.uint8], categories: npt.NDArray[np.int64]) -> float:
        return frechet_distance(real, torch.from_numpy(measuring.measure(images)[0]))

    return score


def _plan(settings: Settings, prepared: PreparedSet, config: FamilyConfig) -> SpeedPlan:
    """The fastest plan, measured once per machine, family and shape, and kept: equal runs must count alike."""
    facts = [config.family, config.batch_size, config.precision, config.memory_format, prepared.shape]
    facts += [torch.__version__, torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()]
    path = settings.home / "speed" / f"{digest_json(facts)}.json"
    with locked(path.with_suffix(".lock"), seconds=600, doing="measuring this machine's speed"):
        if not path.exists():
            plan = measure_plan(prepared, config)
            write_atomically(path, plan.model_dump_json(indent=1).encode())
    return SpeedPlan.model_validate_json(path.read_text())


def measure_plan(prepared: PreparedSet, config: FamilyConfig) -> SpeedPlan:
    """Time a few updates of the real training under each plan."""
    images, labels = prepared.images("train"), prepared.labels("train")

    def batch(plan: SpeedPlan) -> Callable[[], object]:
        trainer = Trainer(build_family(config, prepared), images, labels, Path(), plan, lambda *_: 0.0, Unheard())
        return trainer.advance

    return choose_plan(batch, config.batch_size, config.precision, config.memory_format)


class Unheard:
    """A training log that nobody reads."""

    def metrics(self, step: int, figures: dict[str, float]) -> None:
        """Ignore."""

    def samples(self, step: int, images: npt.NDArray[np.uint8]) -> None:
        """Ignore."""

    def progress(self, done: int, total: int, note: str) -> None:
        """Ignore."""


def _show_augmentation(images: npt.NDArray[np.uint8], config: FamilyConfig, path: Path) -> None:
    """A picture of what the network sees: training images above, augmented below."""
    first = np.ascontiguousarray(images[:COLUMNS])
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        changed = build_augmentation(config.augment)(to_planes(first)).permute(0, 2, 3, 1).numpy()
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        grid(np.concatenate((first, changed)), COLUMNS).save(path)
