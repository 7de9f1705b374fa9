"""How close to real images a family comes, and how soon, against the textbook DCGAN on the same images."""

from __future__ import annotations

import contextlib
import json
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.fashion import SAMPLES, Judge, load_gradient_recipe, prepare
from bench.results import RESULTS, load
from bench.textbook_dcgan import LATENT, train_textbook
from models.arrays import Images, Labels
from models.errors import InputError
from models.exported.noise import latents, spread_categories
from models.families.family import GradientConfig
from models.files import write_whole
from models.pixels import to_bytes
from models.training.trainer import Trainer
from models.training.validation import Validation
from tasks.dataset.prepared import PreparedSet
from tasks.training.networks import build_gradient_family
from tasks.training.speed import NullLog, measure_plan
from tasks.workspace.settings import Settings

TEXTBOOK_BATCH = 128
Row = dict[str, float]


class Enough(Exception):
    """The time for a training is over."""


class Curve:
    """Rows of (images seen, training seconds, distance, recall); the time that measuring takes is not counted."""

    def __init__(self, path: Path, minutes: float) -> None:
        self._path, self._minutes = path, minutes
        self.rows: list[Row] = []
        self.start()

    def start(self) -> None:
        """Training goes on from here."""
        self._mark = time.monotonic(), time.process_time()

    def add(self, images: int, measure: Callable[[], Row]) -> Row:
        """Measure now, and stop the training when its time is over."""
        last = self.rows[-1] if self.rows else {"seconds": 0.0, "cpu_seconds": 0.0}
        wall, cpu = time.monotonic() - self._mark[0], time.process_time() - self._mark[1]
        times = {"seconds": last["seconds"] + wall, "cpu_seconds": last["cpu_seconds"] + cpu}
        row = {"images": images} | {name: round(value, 1) for name, value in times.items()} | measure()
        self.rows.append(row)
        write_whole(self._path, json.dumps(self.rows, indent=1).encode())
        print(row, flush=True)
        if times["seconds"] > 60 * self._minutes:
            raise Enough
        self.start()
        return row


def measure(family: str, changes: dict[str, Any], seed: int, minutes: float, epochs: int) -> dict[str, Any]:
    """Train the textbook for `epochs` and `family` for `minutes` at the same time, each on its half of the cores.

    With no epochs the textbook's curve is the one that was measured before with this seed.

    Raises:
        InputError: there is none.
    """
    settings = Settings()
    config = load_gradient_recipe(settings, family, changes | {"seed": seed, "epochs": 1000})
    prepared = prepare(settings)
    folder, threads = settings.home / "bench" / f"{family}-seed{seed}", max(1, (os.cpu_count() or 1) // 2)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(threads)
    about = {"family": family, "seed": seed, "recipe": config.model_dump(), "beside": epochs > 0}
    if not epochs:
        before = find_textbook(seed)
        rows = follow_family(config, prepared, Judge(settings, prepared), folder, minutes)
        return about | {"rows": rows, "textbook": before}
    spawn = multiprocessing.get_context("spawn")
    textbook = spawn.Process(target=train_textbook_beside, args=(folder / "textbook.json", seed, epochs, threads))
    textbook.start()
    try:
        rows = follow_family(config, prepared, Judge(settings, prepared), folder, minutes)
        textbook.join()
    finally:
        textbook.kill()
    beside = json.loads((folder / "textbook.json").read_text())
    return about | {"rows": rows, "textbook": beside}


def find_textbook(seed: int) -> list[Row]:
    """The textbook's rows as they were measured with this seed.

    Raises:
        InputError: they were not measured yet.
    """
    for path in sorted(RESULTS.glob(f"quality-*-seed{seed}.json")):
        found = load(path.stem)
        if found is not None:
            rows: list[Row] = found["textbook"]
            return rows
    raise InputError("seed", seed, "one that `python -m bench quality` has measured: no textbook to hold this against")


def train_textbook_beside(path: Path, seed: int, epochs: int, threads: int) -> None:
    """The textbook in a process of its own, on so many threads."""
    torch.set_num_threads(threads)
    settings = Settings()
    prepared = prepare(settings)
    follow_textbook(prepared, Judge(settings, prepared), path, seed, epochs)


def follow_textbook(prepared: PreparedSet, judge: Judge, path: Path, seed: int, epochs: int) -> None:
    """Write the textbook's distance to the test split after each epoch to `path`."""
    torch.manual_seed(seed)
    images = torch.from_numpy(np.array(prepared.images("train"))).permute(0, 3, 1, 2).float() / 127.5 - 1
    generators, curve = train_textbook(images, TEXTBOOK_BATCH), Curve(path, float("inf"))
    steps = len(images) // TEXTBOOK_BATCH
    for epoch in range(1, epochs + 1):
        for _ in range(steps):
            generator = next(generators)

        def judged(generator: torch.nn.Module = generator) -> Row:
            return {"distance": round(judge.measure(*sample_textbook(generator)).distance, 2)}

        curve.add(epoch * steps * TEXTBOOK_BATCH, judged)


def sample_textbook(generator: torch.nn.Module) -> tuple[Images, Labels]:
    """10,000 images of the textbook's generator; it cannot be asked for a category."""
    noise = torch.from_numpy(latents(SAMPLES, LATENT, seed=1234))[:, :, None, None]
    generator.eval()
    with torch.inference_mode():
        images = np.concatenate([to_bytes(generator(part).numpy()) for part in torch.split(noise, 250)])
    generator.train()
    return images, spread_categories(SAMPLES, 10)


def follow_family(
    config: GradientConfig, prepared: PreparedSet, judge: Judge, folder: Path, minutes: float
) -> list[Row]:
    """The family's distances after each share of an epoch; validation chooses the best, test is what is reported."""
    family = build_gradient_family(config, prepared)
    curve = Curve(folder / "rows.json", minutes)

    def score(images: Images, wanted: Labels) -> float:
        def judged() -> Row:
            distance, recall = judge.measure(images, wanted)
            validation = judge.measure(images, wanted, "validation").distance
            return {"distance": round(distance, 2), "recall": round(recall, 4), "validation": round(validation, 2)}

        return curve.add(trainer.step * config.batch_size, judged)["validation"]

    plan, validation = measure_plan(prepared, config), Validation(score, samples=SAMPLES)
    images, labels = prepared.images("train"), prepared.labels("train")
    with tempfile.TemporaryDirectory() as files, contextlib.suppress(Enough):
        trainer = Trainer(family, images, labels, Path(files), plan, validation, NullLog(), checkpoint_seconds=math.inf)
        curve.start()
        trainer.run()
    return curve.rows
