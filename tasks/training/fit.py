"""One resumable training of a family on a prepared set, logged to MLflow, ending in a checked ONNX file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from models.errors import TrainingError
from models.exported.ruler import ExportedRuler
from models.families.augmentation import build_augmentation
from models.families.discovery import module_of
from models.families.family import Family, FamilyConfig, FittedFamily, GradientConfig, GradientFamily
from models.metrics.distances import frechet_distance
from models.pixels import to_planes
from models.training.fitting import fit_family
from models.training.speed import SpeedPlan
from models.training.trainer import Trained, Trainer
from models.training.validation import Validation, measure_likelihood, sample
from tasks.dataset.prepared import PreparedSet
from tasks.training.networks import build_family, load_initial
from tasks.training.result import FitResult
from tasks.training.run_log import COLUMNS, RunLog, Show
from tasks.training.speed import _plan
from tasks.workspace.code import digest_code, digest_json
from tasks.workspace.progress import Progress
from tasks.workspace.records import StepKey
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file, locked, storage_errors, write_atomically

if TYPE_CHECKING:
    from tasks.evaluation.ruler import RulerFile
    from tasks.training.initial import Initial

UNTRAINED = 2048
"""Images of the network before training."""


def fit_step(
    prepared: PreparedSet, config: FamilyConfig, ruler: RulerFile | None, initial: Initial | None = None
) -> StepKey:
    """The key of a training: equal digests mean that it need not be repeated."""
    found = {"ruler": ruler.digest} if ruler else {}
    weights = {"weights": initial.sha256} if initial else {}
    return StepKey(
        name="fit",
        inputs={
            "prepared": prepared.key,
            "recipe": digest_json(config.model_dump()),
            "code": digest_code(__name__, module_of(config.family)),
        }
        | found
        | weights,
    )


def train_or_resume(
    settings: Settings,
    prepared: PreparedSet,
    config: FamilyConfig,
    ruler: RulerFile | None,
    key: str,
    tags: dict[str, str],
    progress: Progress,
    show: Show,
    initial: Initial | None = None,
) -> FitResult:
    """Train, or resume a training that was stopped, in `HOME/trainings/KEY`.

    `ruler` measures generated images; editing families and those with a likelihood can do without.

    Raises:
        InputError: the weights of `initial` do not fit the recipe's networks.
        TrainingError: a loss was not finite, or the exported file differs from the trained network.
        StorageError: the disk is full (the last checkpoint is kept), or another process holds the lock too long.
        ServiceError: MLflow was lost and did not come back; the same command resumes.
    """
    folder = settings.home / "trainings" / key
    with locked(folder / "lock", seconds=24 * 3600, doing="training the same recipe on the same data"):
        result = folder / "result.json"
        if result.exists():
            return FitResult.model_validate_json(result.read_bytes(), context={"home": settings.home})
        with storage_errors(folder):
            fitted = _fit(settings, prepared, config, ruler, folder, tags, progress, show, initial)
        write_atomically(result, fitted.model_dump_json(indent=1, context={"home": settings.home}).encode())
        return fitted


def _fit(
    settings: Settings,
    prepared: PreparedSet,
    config: FamilyConfig,
    ruler: RulerFile | None,
    folder: Path,
    tags: dict[str, str],
    progress: Progress,
    show: Show,
    initial: Initial | None,
) -> FitResult:
    family = build_family(config, prepared)
    keep_untrained(family, folder / "untrained.npy")
    start = load_initial(family, initial)
    origin = {"init_sha256": initial.sha256, "init_text": start.text} if initial and start else {}
    plan = _plan(settings.home, prepared, config) if isinstance(config, GradientConfig) else None
    speed = {"speed_plan": plan.model_dump_json()} if plan else {}
    log = RunLog(settings, folder, config, tags | speed | origin, progress, show)
    log.data(prepared)
    validation = make_validation(prepared, ruler)
    try:
        frozen = start.frozen if start else frozenset[str]()
        trained = train_or_fit(family, prepared, folder, plan, validation, log, settings.checkpoint_seconds, frozen)
    except BaseException:
        log.end("KILLED")
        raise
    difference = family.export(trained.generator, prepared.categories, folder / "generator.onnx")
    keep_likelihood(family, prepared, folder / "likelihood.json")
    log.finish(trained, difference)
    return FitResult(
        key=folder.name,
        family=config.family,
        folder=folder,
        run_id=log.run_id,
        steps=trained.steps,
        best_step=trained.best_step,
        criterion=trained.criterion,
        best_value=trained.best_value,
        seconds=round(trained.seconds, 1),
        images_per_second=round(trained.images / trained.seconds, 1),
        plan=plan,
        export_difference=difference,
        onnx_sha256=digest_file(folder / "generator.onnx"),
        init_from=initial.uri if initial else None,
        **origin,
    )


def keep_untrained(family: Family, path: Path) -> None:
    """Write images of the untrained generator, once: their distance shows the progress."""
    if family.criterion is None and not path.exists():
        np.save(path, sample(family, family.generator.eval(), UNTRAINED, family.config.seed)[0])


def keep_likelihood(family: Family, prepared: PreparedSet, path: Path) -> None:
    """Write the bits per dimension of the test split by the family's current weights, if it has a likelihood."""
    if family.likelihood is not None:
        figures = measure_likelihood(family, prepared.images("test"), prepared.labels("test"))
        write_atomically(path, json.dumps(figures | {"split": "test"}, indent=1).encode())


def train_or_fit(
    family: Family,
    prepared: PreparedSet,
    folder: Path,
    plan: SpeedPlan | None,
    validation: Validation,
    log: RunLog,
    checkpoint_seconds: float,
    frozen: frozenset[str],
) -> Trained:
    """Train a gradient family, or fit a classical one, on the train split."""
    images, labels = prepared.images("train"), prepared.labels("train")
    if isinstance(family, FittedFamily):
        return fit_family(family, images, labels, folder, validation, log)
    if not isinstance(family, GradientFamily) or plan is None:
        raise TypeError(f"{family.config.family} is neither trained by gradients nor fitted")
    log.augmentation(augment_first(images, family.config))
    return Trainer(family, images, labels, folder, plan, validation, log, checkpoint_seconds, frozen).run()


def make_validation(prepared: PreparedSet, ruler: RulerFile | None) -> Validation:
    """The family's validation: by the ruler's Fréchet distance to the validation split, or by its own criterion."""
    held_out = prepared.images("validation"), prepared.labels("validation")
    if ruler is None:
        return Validation(unmeasured, held_out)
    measuring = ExportedRuler(ruler.path)
    real = torch.from_numpy(measuring.measure(held_out[0])[0])

    def score(images: npt.NDArray[np.uint8], categories: npt.NDArray[np.int64]) -> float:
        return frechet_distance(real, torch.from_numpy(measuring.measure(images)[0]))

    return Validation(score, held_out)


def unmeasured(*_: object) -> float:
    """Placeholder when there is no ruler.

    Raises:
        TrainingError: always, since generated images cannot be measured.
    """
    raise TrainingError("validation: generated images can be measured by a ruler only, and none was given")


def augment_first(images: npt.NDArray[np.uint8], config: GradientConfig) -> npt.NDArray[np.uint8]:
    """The first training images (N, H, W, C), and after them what the network sees of them: the same, augmented."""
    first = np.ascontiguousarray(images[:COLUMNS])
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        changed = build_augmentation(config.augment)(to_planes(first)).permute(0, 2, 3, 1).numpy()
    return np.concatenate((first, changed))
