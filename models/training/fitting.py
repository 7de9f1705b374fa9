"""Fitting a classical family: one fit, one evaluation, and the same files that the trainer writes."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from models.arrays import Images, Labels
from models.errors import TrainingError
from models.families.family import FittedFamily
from models.files import write_whole
from models.training.history import History, TrainingLog
from models.training.initial import write_networks
from models.training.trainer import Trained
from models.training.validation import Validation


def fit_family(
    family: FittedFamily, images: Images, labels: Labels, folder: Path, validation: Validation, log: TrainingLog
) -> Trained:
    """Fit `family` to uint8 images (N, H, W, C) and labels (N,); its weights and figures go to `folder`.

    Raises:
        TrainingError: a figure of the fit, a weight or the judgement was not finite.
    """
    torch.manual_seed(family.config.seed)
    started = time.monotonic()
    figures = family.fit(images, labels, log.progress)
    seconds = time.monotonic() - started
    criterion = validation.criterion(family)
    value, samples = validation.measure(family, family.generator.eval(), family.config.seed + 1)
    figures = figures | {"images_per_second": len(images) / seconds, criterion: value}
    weights = family.generator.state_dict()
    check_finite({name: torch.tensor(figure) for name, figure in figures.items()} | weights)
    history = History(log, len(images))
    history.note(1, figures)
    log.samples(1, samples)
    folder.mkdir(parents=True, exist_ok=True)
    generator = write_networks(folder, {f"generator.{name}": kept for name, kept in weights.items()})
    write_whole(folder / "history.csv", history.to_csv().encode())
    return Trained(generator, folder / "history.csv", len(images), 1, 1, criterion, value, seconds)


def check_finite(values: dict[str, torch.Tensor]) -> None:
    """Raise a TrainingError that names the first value that is not a number."""
    for name, value in values.items():
        if not torch.isfinite(value).all():
            raise TrainingError(f"{name} is not finite after the fit; look for constant or empty categories")
