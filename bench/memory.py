"""Resident memory of a training by epoch: a real one on Fashion-MNIST, with its evaluations and checkpoints."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import psutil

from bench.fashion import Judge, load_gradient_recipe, prepare
from models.arrays import Images, Labels
from models.families.family import GradientConfig
from models.training.trainer import Trainer
from models.training.validation import Validation
from tasks.dataset.prepared import PreparedSet
from tasks.training.networks import build_gradient_family
from tasks.training.speed import NullLog, measure_plan
from tasks.workspace.settings import Settings

IMAGES = 12_800
EPOCHS = 6
SAMPLES = 2048
CHECKPOINT_SECONDS = 2.0
MIB = 2**20


class Epochs(NullLog):
    """A training log that notes the resident memory at each evaluation, the last thing of an epoch."""

    def __init__(self) -> None:
        self.resident: list[float] = []

    def samples(self, step: int, images: Images) -> None:
        """Note the memory; the pictures are left alone."""
        self.resident.append(round(psutil.Process().memory_info().rss / MIB, 1))


def measure(family: str = "dcgan") -> dict[str, Any]:
    """Resident MiB after each epoch, and how much was added from the second on."""
    settings = Settings()
    prepared = prepare(settings)
    config = load_gradient_recipe(settings, family, {"epochs": EPOCHS, "evaluations_per_epoch": 1})
    resident = follow(config, prepared, Judge(settings, prepared))
    growth = resident[-1] - resident[1]
    protocol = (
        f"{family}, {IMAGES:,} images of Fashion-MNIST an epoch, batch {config.batch_size}; after each epoch "
        f"{SAMPLES:,} samples are measured; a checkpoint every {CHECKPOINT_SECONDS:.0f} s. Resident memory of the "
        f"whole process after each epoch: {growth:+.1f} MiB from the second to the last."
    )
    return {"protocol": protocol, "resident_mib": resident, "growth_mib": round(growth, 1)}


def follow(config: GradientConfig, prepared: PreparedSet, judge: Judge) -> list[float]:
    """Train and return the resident MiB after each epoch."""
    family = build_gradient_family(config, prepared)

    def score(images: Images, wanted: Labels) -> float:
        return judge.measure(images, wanted, "validation").distance

    images, labels = prepared.images("train")[:IMAGES], prepared.labels("train")[:IMAGES]
    log, validation = Epochs(), Validation(score, samples=SAMPLES)
    with tempfile.TemporaryDirectory() as folder:
        plan = measure_plan(prepared, config)
        Trainer(family, images, labels, Path(folder), plan, validation, log, CHECKPOINT_SECONDS).run()
    return log.resident
