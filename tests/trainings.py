"""Tiny trainings for the tests: 64 drawn images, narrow networks, a dozen updates."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.arrays import Images, Labels
from models.families.discovery import load_family
from models.families.family import FamilyConfig, GradientFamily, ImageShape
from models.training.speed import SpeedPlan
from models.training.trainer import Trained, Trainer
from models.training.validation import Score, Validation
from tests.families import EDITING, shrink

CATEGORIES = ["bar", "disc"]


def draw_images(count: int = 64, channels: int = 1, seed: int = 0) -> tuple[Images, Labels]:
    """Noisy bars and discs, uint8 (count, 32, 32, channels), and which of the two each is."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % len(CATEGORIES)
    down, right = np.mgrid[:32, :32] - 16
    shapes = np.stack((np.abs(right) < 4, down**2 + right**2 < 144)) * 180
    noisy = shapes[labels][..., None] + generator.integers(0, 60, (count, 32, 32, channels))
    return noisy.astype(np.uint8), labels


def build_family(name: str = "dcgan", channels: int = 1, **changes: Any) -> Any:
    """A small family with the weights that its seed gives."""
    return make_family(load_family(name).Config.model_validate({"family": name, **shrink(name), **changes}), channels)


def make_family(config: FamilyConfig, channels: int) -> Any:
    """The family of a config for the drawn images, with the weights that its seed gives."""
    torch.manual_seed(config.seed)
    return load_family(config.family)(config, ImageShape(channels, 32, len(CATEGORIES)))


def small(name: str, **changes: Any) -> Any:
    """The small family for pictures of the kind that it is for."""
    return build_family(name, 3 if name in EDITING else 1, **changes)


def variants(name: str) -> list[dict[str, bool]]:
    """What a generator's family is tried with: without its categories and with them, where it has the choice."""
    return [{"conditional": choice} for choice in (False, True)] if has_choice(name) else [{}]


def has_choice(name: str) -> bool:
    """Whether the family's recipe can leave the categories out."""
    return "conditional" in load_family(name).Config.model_fields


def brightness(images: Images, _: Labels) -> float:
    """A distance that costs nothing: how far the mean grey level is from that of the drawn images."""
    return abs(float(images.mean()) - 75)


class Recorder:
    """A training log that keeps all it hears."""

    def __init__(self) -> None:
        self.figures: list[tuple[int, dict[str, float]]] = []
        self.grids: list[tuple[int, Images]] = []
        self.notes: list[tuple[int, int, str]] = []

    def metrics(self, step: int, figures: dict[str, float]) -> None:
        self.figures.append((step, figures))

    def samples(self, step: int, images: Images) -> None:
        self.grids.append((step, images))

    def progress(self, done: int, total: int, note: str) -> None:
        self.notes.append((done, total, note))


def build_trainer(
    folder: Path,
    score: Score = brightness,
    precision: str = "32-true",
    memory_format: str = "contiguous",
    family: GradientFamily | None = None,
    log: Recorder | None = None,
    **changes: Any,
) -> Trainer:
    """A trainer on the drawn images that writes a checkpoint after every update."""
    family = family or build_family(**changes)
    images, labels = draw_images(channels=family.shape.channels)
    plan = SpeedPlan.model_validate({"precision": precision, "memory_format": memory_format})
    validation = Validation(score, (images, labels), samples=16)
    return Trainer(family, images, labels, folder, plan, validation, log or Recorder(), checkpoint_seconds=0.0)


def train(folder: Path, precision: str, epochs: int, score: Score = brightness) -> Trained:
    """A whole training, the same wherever it runs; augmentation draws from the same random numbers as the noise."""
    augment = {"flip": 0.5, "crop": 2}
    return build_trainer(folder, score=score, precision=precision, epochs=epochs, augment=augment).run()


def slow_brightness(images: Images, labels: Labels) -> float:
    """The same distance, late: time for a test to kill the training."""
    time.sleep(0.2)
    return brightness(images, labels)


if __name__ == "__main__":
    train(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), slow_brightness)
