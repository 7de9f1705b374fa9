"""Fashion-MNIST as the flows prepare it, and how far generated images are from its test split, by the shipped ruler."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.arrays import Images, Labels
from models.exported.ruler import ExportedRuler
from models.families.family import GradientConfig
from models.metrics.distances import classify_scores, frechet_distance
from tasks.dataset.prepare import PrepareConfig
from tasks.dataset.prepared import PreparedSet
from tasks.evaluation.ruler import ensure_ruler
from tasks.pipeline.steps import ensure_catalogue, ensure_prepared, ensure_validation
from tasks.workspace.parameters import load_recipe, parse, read_section
from tasks.workspace.progress import NullProgress
from tasks.workspace.settings import Settings

CATALOGUE = "fashion-mnist"
SAMPLES = 10_000


class Measured(NamedTuple):
    """Fréchet distance to the test split, and macro recall of the categories asked for."""

    distance: float
    recall: float


class Judge:
    """Measures images against the test split (10,000 images) of the prepared set."""

    def __init__(self, settings: Settings, prepared: PreparedSet) -> None:
        ruler = ensure_ruler(settings, CATALOGUE, prepared, NullProgress())
        self._ruler, self._categories = ExportedRuler(ruler.path), len(prepared.categories)
        self._real = {split: self._features(prepared.images(split)) for split in ("validation", "test")}

    def _features(self, images: npt.NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(self._ruler.measure(images)[0])

    def measure(self, images: Images, wanted: Labels, split: str = "test") -> Measured:
        """Distance and recall of uint8 images (N, 32, 32, 1) of the categories `wanted` (N,)."""
        features, predicted = self._ruler.measure(images)
        scores = classify_scores(torch.from_numpy(predicted), torch.from_numpy(wanted), self._categories)
        return Measured(frechet_distance(self._real[split], torch.from_numpy(features)), float(scores["recall"]))


def prepare(settings: Settings) -> PreparedSet:
    """The prepared set that the flows use, made now if it is not there."""
    data = ensure_catalogue(settings, CATALOGUE, None, NullProgress()).value
    report = ensure_validation(settings.home, data, False, 0.02).value
    config = parse(PrepareConfig, read_section(settings.root, "prepare", CATALOGUE))
    return ensure_prepared(settings.home, data, report, config, NullProgress()).value


def load_gradient_recipe(settings: Settings, family: str, changes: dict[str, Any]) -> GradientConfig:
    """The recipe of `params.yaml` with `changes`, for a family that the trainer trains."""
    config = load_recipe(settings.root, family, changes)
    if not isinstance(config, GradientConfig):
        raise TypeError(f"{family} is not trained by gradients")
    return config
