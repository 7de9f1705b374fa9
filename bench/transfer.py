"""What `init_from` saves: a family trained on one catalogue, then on another from there and from scratch.

`python -m bench.transfer [sngan] [--case categories|photos] [--updates 600] [--source-updates 3000] [--seeds 0 1 2]`
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from bench.fashion import CATALOGUE, load_gradient_recipe
from bench.page import table
from bench.photographs import photo_folder
from bench.results import save
from models.exported.ruler import ExportedRuler
from models.families.family import GradientConfig
from models.metrics.distances import frechet_distance
from models.training.initial import NETWORKS_FILE, start_from, write_networks
from models.training.speed import SpeedPlan
from models.training.trainer import Trainer
from models.training.validation import Validation
from tasks.catalogue.table import read_catalogue
from tasks.dataset.prepare import PrepareConfig, prepare_catalogue
from tasks.dataset.prepared import PreparedSet
from tasks.evaluation.ruler import RulerFile, ensure_ruler
from tasks.training.networks import build_gradient_family
from tasks.training.speed import NullLog, measure_plan
from tasks.workspace.code import digest_json
from tasks.workspace.parameters import parse, read_prepare
from tasks.workspace.progress import NullProgress
from tasks.workspace.settings import Settings

SAMPLES = 4096
MEASUREMENTS = 8
LEARNED_ON, CATEGORIES_LEFT, PHOTOS = "fashion-mnist-8", "fashion-mnist-2", "clothing"
Rows = dict[int, float]


class Case(NamedTuple):
    """Where a family learns first, where it is carried to, and what measures it there."""

    name: str
    title: str
    source: PreparedSet
    target: PreparedSet
    ruler: RulerFile


def main() -> None:
    """Measure the cases that the command line names, print them and keep them in `bench/results`."""
    parser = argparse.ArgumentParser(prog="python -m bench.transfer", description=__doc__)
    parser.add_argument("family", nargs="?", default="sngan")
    parser.add_argument("--case", choices=list(CASES), nargs="+", default=list(CASES))
    parser.add_argument("--updates", type=int, default=600, help="of each training that is compared")
    parser.add_argument("--source-updates", type=int, default=3000, help="of the training that is carried over")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    settings = Settings()
    for case in (CASES[name](settings) for name in given.case):
        found = measure(settings, case, given.family, given.updates, given.source_updates, given.seeds)
        print(save(f"transfer-{case.name}-{given.family}", found))
        print(f"{found['title']}. {found['protocol']}")
        print(
            table(("images seen", "from scratch", "with init_from"), [tuple(row.values())[:3] for row in found["rows"]])
        )


def measure(
    settings: Settings, case: Case, family: str, updates: int, source_updates: int, seeds: Sequence[int]
) -> dict[str, Any]:
    """The distances by images seen of both trainings, the median over seeds with each seed's own beside it."""
    config = load_gradient_recipe(settings, family, {"epochs": 1000})
    plan = measure_plan(case.target, config)
    weights = learn(settings, case, config, plan, source_updates)
    distance = Distance(case)
    scratch = [follow(case, at(config, seed), plan, updates, distance) for seed in seeds]
    carried = [follow(case, at(config, seed), plan, updates, distance, weights) for seed in seeds]
    rows = [
        {"images": images}
        | {"scratch": middle(scratch, images), "transferred": middle(carried, images)}
        | {"scratch_seeds": each(scratch, images), "transferred_seeds": each(carried, images)}
        for images in scratch[0]
    ]
    sooner = [images_to_reach(end, list(one.values())[-1]) for one, end in zip(scratch, carried, strict=True)]
    height, width, channels = case.target.shape
    protocol = (
        f"{family} at {height}x{width}x{channels}, batch {config.batch_size}, {source_updates:,} updates on "
        f"{case.source.catalogue}, then {updates:,} on {case.target.catalogue} ({len(case.target.images('train')):,} "
        f"images), seeds {', '.join(map(str, seeds))}: medians. Fréchet distance of {SAMPLES:,} samples to the test "
        f"split by the ruler {case.ruler.digest[:8]}. The last distance from scratch was reached with init_from after "
        f"{', '.join('no' if images is None else f'{images:,}' for images in sooner)} images"
    )
    return {"title": case.title, "protocol": f"{protocol}.", "rows": rows, "recipe": config.model_dump()}


def learn(settings: Settings, case: Case, config: GradientConfig, plan: SpeedPlan, updates: int) -> Path:
    """The networks after `updates` on the source, trained now or found."""
    key = digest_json([case.source.key, config.model_dump(), plan.model_dump(), updates])
    folder = settings.home / "bench" / f"transfer-{key}"
    if not (folder / NETWORKS_FILE).exists():
        trainer = make_trainer(config, case.source, plan)
        for _ in range(updates):
            trainer.advance()
        folder.mkdir(parents=True, exist_ok=True)
        write_networks(folder, trainer.kept_weights())
    return folder / NETWORKS_FILE


class Distance:
    """Fréchet distance of a trainer's averaged generator to the target's test split."""

    def __init__(self, case: Case) -> None:
        self._ruler = ExportedRuler(case.ruler.path)
        self._real = torch.from_numpy(self._ruler.measure(case.target.images("test"))[0])

    def measure(self, trainer: Trainer) -> float:
        """The distance now, of the same noise each time."""
        images, _ = trainer.sample(SAMPLES, seed=1234)
        return round(frechet_distance(self._real, torch.from_numpy(self._ruler.measure(images)[0])), 2)


def follow(
    case: Case, config: GradientConfig, plan: SpeedPlan, updates: int, distance: Distance, weights: Path | None = None
) -> Rows:
    """Distance by images seen, evenly spread over `updates`, before the first too."""
    trainer = make_trainer(config, case.target, plan, weights)
    rows, every = {0: distance.measure(trainer)}, max(1, updates // MEASUREMENTS)
    for update in range(1, updates + 1):
        trainer.advance()
        if update % every == 0 or update == updates:
            rows[update * config.batch_size] = distance.measure(trainer)
    print("from scratch" if weights is None else "with init_from", f"seed {config.seed}", rows, flush=True)
    return rows


def make_trainer(
    config: GradientConfig, prepared: PreparedSet, plan: SpeedPlan, weights: Path | None = None
) -> Trainer:
    """A trainer on the train split, from the seed or from `weights`."""
    started = config if weights is None else config.model_copy(update={"init_from": str(weights)})
    family = build_gradient_family(started, prepared)
    frozen = frozenset[str]() if weights is None else start_from(family, weights).frozen
    torch.manual_seed(config.seed)
    data = prepared.images("train"), prepared.labels("train")
    return Trainer(family, *data, Path(), plan, Validation(lambda *_: 0.0), NullLog(), frozen=frozen)


def at(config: GradientConfig, seed: int) -> GradientConfig:
    """The recipe with another seed."""
    return config.model_copy(update={"seed": seed})


def each(trainings: list[Rows], images: int) -> list[float]:
    """The distance of each training after so many images."""
    return [rows[images] for rows in trainings]


def middle(trainings: list[Rows], images: int) -> float:
    """The median over trainings."""
    return round(statistics.median(each(trainings, images)), 2)


def images_to_reach(rows: Rows, goal: float) -> int | None:
    """After how many images the distance is at most `goal`; None when it never is."""
    return next((images for images, distance in rows.items() if distance <= goal), None)


def prepare_fashion(settings: Settings, name: str, channels: int) -> PreparedSet:
    """A view of Fashion-MNIST, or the whole, with so many channels."""
    config = parse(PrepareConfig, read_prepare(settings.root, name) | {"channels": channels})
    catalogue = read_catalogue(settings.data / CATALOGUE, CATALOGUE)
    return prepare_catalogue(catalogue, digest_json(list(catalogue.table["sha256"])), config, [], settings.home)


def eight_to_two(settings: Settings) -> Case:
    """Eight categories of Fashion-MNIST, then the other two; measured by the ruler that knows all ten."""
    whole = prepare_fashion(settings, CATALOGUE, 1)
    ruler = ensure_ruler(settings, CATALOGUE, whole, NullProgress())
    source, target = (prepare_fashion(settings, name, 1) for name in (LEARNED_ON, CATEGORIES_LEFT))
    title = f"{', '.join(target.categories)} after the other eight categories of Fashion-MNIST"
    return Case("categories", title, source, target, ruler)


def eight_to_photos(settings: Settings) -> Case:
    """Eight categories of Fashion-MNIST, then the clothing photographs in colour."""
    folder = photo_folder() / PHOTOS
    catalogue = read_catalogue(folder, PHOTOS)
    broken = list(catalogue.table.loc[catalogue.table["problem"] != "", "sku"])
    config = PrepareConfig(size=32, channels=3)
    target = prepare_catalogue(catalogue, digest_json(list(catalogue.table["sha256"])), config, broken, settings.home)
    ruler = ensure_ruler(settings, PHOTOS, target, NullProgress())
    source = prepare_fashion(settings, LEARNED_ON, 3)
    return Case("photos", "clothing photographs after eight categories of Fashion-MNIST", source, target, ruler)


CASES = {"categories": eight_to_two, "photos": eight_to_photos}


if __name__ == "__main__":
    main()
