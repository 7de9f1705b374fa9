"""The fastest number format and memory layout for a training, measured once on each machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from models.families.family import GradientConfig
from models.training.speed import SpeedPlan, choose_plan
from models.training.trainer import Trainer
from models.training.validation import Validation
from tasks.dataset.prepared import PreparedSet
from tasks.training.networks import build_gradient_family
from tasks.workspace.code import digest_json
from tasks.workspace.storage import locked, write_atomically


def _plan(home: Path, prepared: PreparedSet, config: GradientConfig) -> SpeedPlan:
    """The fastest plan, measured once per machine, family and shape, and kept, so that equal runs compute alike."""
    facts = [config.family, config.batch_size, config.precision, config.memory_format, prepared.shape]
    facts += [torch.__version__, torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()]
    path = home / "speed" / f"{digest_json(facts)}.json"
    with locked(path.with_suffix(".lock"), seconds=600, doing="measuring this machine's speed"):
        if not path.exists():
            plan = measure_plan(prepared, config)
            write_atomically(path, plan.model_dump_json(indent=1).encode())
    return SpeedPlan.model_validate_json(path.read_text())


def measure_plan(prepared: PreparedSet, config: GradientConfig) -> SpeedPlan:
    """Time a few updates of the real training under each plan."""
    images, labels = prepared.images("train"), prepared.labels("train")

    def batch(plan: SpeedPlan) -> Callable[[], object]:
        family = build_gradient_family(config, prepared)
        return Trainer(family, images, labels, Path(), plan, Validation(lambda *_: 0.0), NullLog()).advance

    return choose_plan(batch, config.batch_size, config.precision, config.memory_format)


class NullLog:
    """A training log that nobody reads."""

    def metrics(self, step: int, figures: dict[str, float]) -> None:
        """Ignore."""

    def samples(self, step: int, images: npt.NDArray[np.uint8]) -> None:
        """Ignore."""

    def progress(self, done: int, total: int, note: str) -> None:
        """Ignore."""
