"""Training speed of our DCGAN against the textbook's loop: in turn, in one process, as a ratio with its spread."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.results import spread
from bench.textbook_dcgan import train_textbook
from models.families.family import ImageShape
from models.generators.dcgan import DCGAN, DCGANConfig
from models.training.speed import SpeedPlan, choose_plan
from models.training.trainer import Trainer
from models.training.validation import Validation
from tasks.training.speed import NullLog

BATCH = 128
UPDATES = 10
ROUNDS = 15


def measure() -> dict[str, Any]:
    """Rounds of updates of both loops on the same images: images per second, and the ratio of each round."""
    images = np.random.default_rng(0).integers(0, 256, (50 * BATCH, 32, 32, 1), dtype=np.uint8)
    labels = np.zeros(len(images), np.int64)
    config = DCGANConfig(batch_size=BATCH, epochs=1000)

    def ours(plan: SpeedPlan) -> Callable[[], object]:
        family, folder = DCGAN(config, ImageShape(1, 32, 10)), Path(tempfile.gettempdir())
        return Trainer(family, images, labels, folder, plan, Validation(lambda *_: 0.0), NullLog()).advance

    plan = choose_plan(ours, BATCH)
    textbook = train_textbook(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1, BATCH)
    loops: dict[str, Callable[[], object]] = {"packshot": ours(plan), "textbook": lambda: next(textbook)}
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(ROUNDS):
        for name, update in loops.items():
            started = time.perf_counter()
            for _ in range(UPDATES):
                update()
            speeds[name].append(UPDATES * BATCH / (time.perf_counter() - started))
    ratios = [first / second for first, second in zip(*speeds.values(), strict=True)]
    return {
        "protocol": f"dcgan, 32x32x1, batch {BATCH}, {ROUNDS} rounds of {UPDATES} updates in turn, one process",
        "plan": f"{plan.precision}, {plan.memory_format}",
        "images_per_second": {name: spread(values) for name, values in speeds.items()},
        "ratio": spread(ratios),
    }
