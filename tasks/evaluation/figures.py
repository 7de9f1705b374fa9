"""The figures of a report: how far generated images are from held-out ones, beside the score of real images."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from pydantic import TypeAdapter

from models.exported.ruler import ExportedRuler
from models.metrics.criteria import FRECHET, KERNEL
from models.metrics.distances import (
    Neighbours,
    classify_scores,
    frechet_distance,
    frechet_inception_distance,
    kernel_distance,
    kernel_distance_of_all,
    nearest_neighbours,
)
from models.metrics.manifold import manifold_scores
from tasks.dataset.prepared import PreparedSet
from tasks.evaluation.measured_sets import Measured, measure_floor
from tasks.evaluation.report import Figure
from tasks.workspace.code import digest_code, digest_json
from tasks.workspace.storage import locked, write_atomically

if TYPE_CHECKING:
    from tasks.evaluation.ruler import RulerFile

NEAR_COPY = 4.0
"""Mean absolute difference, in grey levels of 255, below which a sample counts as a copy of a training image."""
FEWEST = 10
"""The fewest images of a category for which a distance means anything; below, only its share is reported."""
FIGURES = TypeAdapter(list[Figure])


def measure_distances(real: Measured, made: Measured, names: list[str], seed: int) -> Iterator[Figure]:
    """Fréchet and kernel distance, the manifolds' scores, and each category's kernel distance."""
    distance = frechet_inception_distance(real.features, made.features)
    yield Figure(name=FRECHET, value=distance, higher_is_better=False)
    mean, deviation = kernel_distance(real.features, made.features, seed)
    yield Figure(name=KERNEL, value=mean, spread=deviation, higher_is_better=False)
    rows = np.random.default_rng(seed).permutation(len(real))[: len(made)]
    scores = manifold_scores(real.features[np.sort(rows)], made.features[: len(rows)])
    for name, value in zip(("precision", "manifold_recall", "density", "coverage"), scores, strict=True):
        yield Figure(name=name, value=value, higher_is_better=True)
    for label, name in enumerate(names):
        ours, theirs = real.features[real.categories == label], made.features[made.categories == label]
        if min(len(ours), len(theirs)) >= FEWEST:
            distance = kernel_distance_of_all(ours, theirs)
            yield Figure(name="category_distance", value=distance, category=name, higher_is_better=False)


def measure_untrained(
    images: npt.NDArray[np.uint8], real: Measured, names: list[str], ruler: RulerFile
) -> Iterator[Figure]:
    """The same distances for the untrained network, to show progress; its images have no category."""
    features = torch.from_numpy(ExportedRuler(ruler.path).measure(images)[0])
    yield Figure(name=f"{FRECHET}_untrained", value=frechet_distance(real.features, features), higher_is_better=False)
    distance = kernel_distance_of_all(real.features, features)
    yield Figure(name=f"{KERNEL}_untrained", value=distance, higher_is_better=False)
    for label, name in enumerate(names):
        ours = real.features[real.categories == label]
        if len(ours) >= FEWEST:
            distance = kernel_distance_of_all(ours, features)
            yield Figure(name="category_distance_untrained", value=distance, category=name, higher_is_better=False)


def measure_categories(made: Measured, names: list[str], conditional: bool) -> Iterator[Figure]:
    """How often the requested category is recognised, and how evenly the categories appear."""
    count = len(names)
    if conditional:
        scores = classify_scores(made.predicted, made.categories, count)
        for name in ("accuracy", "recall", "f1"):
            yield Figure(name=name, value=float(scores[name]), higher_is_better=True)
        for name in ("recall", "f1"):
            for category, value in zip(names, scores[f"{name}_by_category"], strict=True):
                yield Figure(name=name, value=float(value), category=category, higher_is_better=True)
    shares = torch.bincount(made.predicted, minlength=count) / len(made)
    for category, value in zip(names, shares, strict=True):
        yield Figure(name="share", value=float(value), category=category, higher_is_better=True)


def measure_copies(found: Neighbours) -> Iterator[Figure]:
    """Share of images that are near copies of a training image, and the typical distance to the nearest one."""
    copies = float((found.differences < NEAR_COPY).mean())
    yield Figure(name="near_copies", value=copies, higher_is_better=False)
    yield Figure(name="nearest_difference", value=float(np.median(found.differences)), higher_is_better=True)


def read_likelihood(path: Path) -> tuple[list[Figure], dict[str, str | int | float]]:
    """The likelihood that the training measured on the test split, and its protocol; None when there is no file."""
    if not path.exists():
        return [], {}
    kept = json.loads(path.read_text())
    figure = Figure(
        name="bits_per_dimension",
        value=kept["bits_per_dimension"],
        spread=kept["bits_per_dimension_spread"],
        higher_is_better=False,
    )
    return [figure], {"likelihood": f"{kept['likelihood']}; {kept['images']:,} images of the {kept['split']} split"}


def real_floors(
    home: Path, prepared: PreparedSet, ruler: RulerFile, real: Measured, count: int, seed: int
) -> list[Figure]:
    """The scores of real images under the same protocol; measured once and cached.

    Distances are those of `count` training images to the test split; the rest is measured on the test split itself.
    """
    facts = [prepared.digest("train"), prepared.digest("test"), ruler.digest, count, seed, digest_code(__name__)]
    path = home / "floors" / f"{digest_json(facts)}.json"
    with locked(path.with_suffix(".lock"), seconds=3600, doing="measuring what real images score"):
        if not path.exists():
            floor = measure_floor(prepared, ruler, count, seed)
            found = [
                *measure_distances(real, floor, prepared.categories, seed),
                *measure_categories(real, prepared.categories, conditional=True),
                *measure_copies(nearest_neighbours(real.images, prepared.images("train"))),
            ]
            write_atomically(path, FIGURES.dump_json(found, indent=1))
    return FIGURES.validate_json(path.read_bytes())


def set_floors(figures: list[Figure], floors: list[Figure]) -> list[Figure]:
    """The figures, each with the floor of the same name and category where there is one."""
    values = {(floor.name, floor.category): floor.value for floor in floors}
    return [figure.model_copy(update={"floor": values.get((figure.name, figure.category))}) for figure in figures]
