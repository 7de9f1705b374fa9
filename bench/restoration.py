"""The queue of super-resolution trainings on the development photos: `python -m bench.restoration [JOB ...]`.

Run it again to go on: each job resumes from its checkpoint, and a finished one is left alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from bench.photographs import photo_folder
from bench.shapes import draw_pieces
from models.arrays import Images
from models.errors import StorageError
from models.exported.editor import export_restoration
from models.families.discovery import load_family
from models.families.family import ImageShape
from models.families.restoration import RestorationFamily
from models.imaging.scaling.patches import cut_patches
from models.training.initial import NETWORKS_FILE, start_from
from models.training.speed import SpeedPlan
from models.training.trainer import Trained, Trainer
from models.training.validation import Validation
from tasks.promotion.shipments import SHIPPED, ShippedCard
from tasks.workspace.parameters import load_recipe
from tasks.workspace.settings import Settings
from tasks.workspace.storage import locked

KODAK_SIZES = (1, 0.9, 0.8, 0.7, 0.6, 0.5)
PACKSHOT_SIZES = (0.5, 0.35)
"""Shares of their own size that photos are shrunk to; clothing to half."""
MOST = {96: (6, 14), 144: (1, 6)}
"""By side: how many pieces a clothing photo and a packshot give at most at one size; Kodak's give all."""
DRAWN = {96: 12_000, 144: 4_000}
"""By side: how many pieces are drawn. ESPCN of scale 2 gained 0.07 dB more by 3,200 updates with 30 % of them."""
HELD_OUT_PATCH = 192
HELD_OUT_KODAK = ("05", "15", "20")
"""Bicycles, a portrait and a plane: much detail, skin and sky."""
PLAN = SpeedPlan(precision="32-true", memory_format="channels_last")
"""Fixed, so that jobs resume, and float32: where a processor has no bfloat16, ESPCN was eight times as slow by it."""


class Job(NamedTuple):
    """One training: its family, what differs from its recipe, the job or shipped weights that it starts from, the side
    of its pieces, and of how many pieces it learns from one.
    """

    family: str
    changes: dict[str, Any]
    start: str | None = None
    patch: int = 96
    one_of: int = 1


def side_of(family: str, scale: int) -> int:
    """The side of the pieces: small pictures stay as large at x3 and x4, unless they are enlarged first, as SRCNN's."""
    return 96 if scale == 2 or family == "srcnn" else 144


def go_on(family: str, scale: int, epochs: int, one_of: int = 1, **changes: object) -> Job:
    """More training of the shipped weights, by SOAP unless `changes` say otherwise."""
    return Job(
        family,
        {"scale": scale, "epochs": epochs, **BY_SOAP, **changes},
        start=f"upscale-x{scale}-{family}",
        patch=side_of(family, scale),
        one_of=one_of,
    )


BY_SOAP: dict[str, Any] = {"optimiser": "soap", "learning_rate": 3e-3, "beta1": 0.95, "beta2": 0.95}
"""ESPCN x3 gained 0.17 dB in 1,279 updates, beginning from 66,832 of Adam; 1,315 more of Adam gained nothing."""
QUEUE: dict[str, Job] = {
    "foldsr-x2": go_on("foldsr", 2, 2, learning_rate=1e-3),
    "foldsr-x3": go_on("foldsr", 3, 4, learning_rate=1e-3, batch_size=8, layers=18),
    "foldsr-x4": go_on("foldsr", 4, 6, learning_rate=1e-3, batch_size=8, layers=20),
    "espcn-x2": go_on("espcn", 2, 4),
    "espcn-x3": go_on("espcn", 3, 12),
    "espcn-x4": go_on("espcn", 4, 12),
    "srcnn-x2": go_on("srcnn", 2, 1, one_of=3, batch_size=4),
    "srcnn-x3": go_on("srcnn", 3, 1, one_of=3, batch_size=4),
    "srcnn-x4": go_on("srcnn", 4, 1, one_of=3, batch_size=4),
}
"""The trainings, which go on from the shipped weights; a card counts the updates of all that came before.

SRCNN works at the large size and so learns slowly: it has small batches, or it would have too few updates.
"""


class Lines:
    """A training log of one line a judgement and one each thousand updates."""

    def __init__(self, name: str) -> None:
        self.name = name

    def metrics(self, step: int, figures: dict[str, float]) -> None:
        """Print the validation figures."""
        found = {name: value for name, value in figures.items() if name.startswith("validation")}
        for name, value in found.items():
            self._say(f"step {step}: {name} {value:.4f}")

    def samples(self, step: int, images: Images) -> None:
        """Leave no pictures."""

    def progress(self, done: int, total: int, note: str) -> None:
        """Print where it stands, now and then."""
        if done % 1000 == 0 or done == total:
            self._say(f"{done}/{total}: {note}")

    def _say(self, text: str) -> None:
        print(time.strftime("%H:%M:%S"), self.name, text, flush=True)


def main() -> None:
    """Train what is named, or the whole queue, one after the other; what another process trains is left to it."""
    parser = argparse.ArgumentParser(prog="python -m bench.restoration", description=__doc__)
    parser.add_argument("jobs", nargs="*", default=list(QUEUE), help=f"of {', '.join(QUEUE)}")
    settings = Settings()
    state = settings.home / "bench" / "restoration"
    for name in parser.parse_args().jobs:
        try:
            with locked(state / f"{name}.lock", seconds=1, doing=f"training {name}"):
                train(name, settings, state)
        except StorageError as error:
            print(f"{name}: {error}", flush=True)


def train(name: str, settings: Settings, state: Path) -> None:
    """Train one job, or go on with it, to its `trained.json` and its exported network."""
    job, folder = QUEUE[name], state / name
    if (folder / "trained.json").exists():
        return
    if job.start and not find_start(state, job.start).exists():
        print(f"{name}: waits for {job.start}", flush=True)
        return
    images, held_out = load_patches(state, job.patch)
    images = images[:: job.one_of]
    family, frozen = build(job, settings, state)
    validation = Validation(lambda *_: 0.0, (held_out, np.zeros(len(held_out), np.int64)))
    labels = np.zeros(len(images), np.int64)
    trained = Trainer(family, images, labels, folder, PLAN, validation, Lines(name), frozen=frozen).run()
    export_restoration(family, trained.generator, folder / "network.onnx")
    (folder / "trained.json").write_text(json.dumps(describe(trained, family), indent=1) + "\n")


def build(job: Job, settings: Settings, state: Path) -> tuple[RestorationFamily, frozenset[str]]:
    """The job's family, with the weights of its seed or of the job that it starts from."""
    source = find_start(state, job.start) if job.start else None
    start = {"init_from": str(source)} if source else {}
    config = load_recipe(settings.root, job.family, start | job.changes)
    torch.manual_seed(config.seed)
    family = load_family(job.family)(config, ImageShape(3, job.patch, 1))
    if not isinstance(family, RestorationFamily):
        raise TypeError(f"{job.family} is no editing family")
    return family, start_from(family, source).frozen if source else frozenset()


def find_start(state: Path, name: str) -> Path:
    """The weights of a job, or the shipped ones of that name."""
    shipped = (SHIPPED / name).with_suffix(".safetensors")
    return shipped if shipped.exists() else state / name / NETWORKS_FILE


def describe(trained: Trained, family: RestorationFamily) -> dict[str, Any]:
    """The training's figures and its parameters."""
    figures = {name: value for name, value in trained._asdict().items() if not isinstance(value, Path)}
    start = family.config.init_from
    updates = trained.steps + (count_updates(Path(start)) if start else 0)
    return {**figures, "updates": updates, "config": family.config.model_dump()}


def count_updates(weights: Path) -> int:
    """How many updates made these weights: by the card of shipped ones, by `trained.json` for those of a job."""
    card = weights.with_suffix(".json")
    if card.exists():
        return int(ShippedCard.model_validate_json(card.read_bytes()).figures["updates"])
    return int(json.loads(weights.with_name("trained.json").read_text())["updates"])


def load_patches(state: Path, side: int) -> tuple[Images, Images]:
    """Pieces to learn from (N, side, side, 3), the last of them drawn, and to judge by (M, 192, 192, 3)."""
    learned = keep(
        state / f"train-{side}.npy", lambda: [*training_pieces(photo_folder(), side), draw_pieces(DRAWN[side], side)]
    )
    return learned, keep(state / "held-out.npy", lambda: [*held_out_pieces(photo_folder())])


def keep(path: Path, make: Callable[[], list[Images]]) -> Images:
    """The pieces of the file `path`, which is made when it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.concatenate(make()))
    pieces: Images = np.load(path, mmap_mode="r")
    return pieces


def training_pieces(photos: Path, side: int) -> Iterator[Images]:
    """Kodak at several sizes, clothing and packshots so small that JPEG's and WebP's traces are gone."""
    of_clothing, of_packshots = MOST[side]
    for path in sorted((photos / "kodak").glob("*.png")):
        if path.stem not in HELD_OUT_KODAK:
            for share in KODAK_SIZES:
                yield cut_patches(read(path, share), side, side // 3, least_detail=1.0)
    for path in sorted((photos / "clothing" / "train").rglob("*.jpg")):
        yield cut_patches(read(path, 0.5), side, 24, of_clothing, least_detail=2.0)
    for path in sorted((photos / "packshots").glob("*.webp"))[8:]:
        for share in PACKSHOT_SIZES:
            yield cut_patches(read(path, share), side, 32, of_packshots, least_detail=1.0)


def held_out_pieces(photos: Path) -> Iterator[Images]:
    """Pieces of photos that no network learned from, nor are they in Set5."""
    kodak = [photos / "kodak" / f"{name}.png" for name in HELD_OUT_KODAK]
    yield from (cut_patches(read(path), HELD_OUT_PATCH, HELD_OUT_PATCH, 8) for path in kodak)
    clothing = sorted((photos / "clothing" / "validation").rglob("*.jpg"))[::20]
    packshots = sorted((photos / "packshots").glob("*.webp"))[:8]
    yield from (cut_patches(read(path, 0.5), HELD_OUT_PATCH, 8, 1) for path in (*clothing, *packshots))


def read(path: Path, share: float = 1) -> Images:
    """The photo's RGB pixels (H, W, 3), shrunk to `share` of its size."""
    with Image.open(path) as image:
        rgb = image.convert("RGB")
    size = [round(side * share) for side in rgb.size]
    return np.asarray(rgb if share == 1 else rgb.resize((size[0], size[1]), Image.Resampling.BICUBIC))


if __name__ == "__main__":
    main()
