"""The trainings on 128x128 squares of the development photos: `python -m bench.squares pix2pix|colorful`.

Run it again to go on. With `--export` it writes the network as it stands in the last checkpoint, beside a training that
runs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from bench.photographs import photo_folder
from bench.restoration import PLAN, Lines, describe
from models.arrays import Images
from models.exported.editor import export_restoration
from models.exported.halving import SMALLEST, halve_weights
from models.families.discovery import load_family
from models.families.family import ImageShape
from models.families.restoration import RestorationFamily
from models.training.checkpoint import read_checkpoint
from models.training.initial import write_networks
from models.training.trainer import Trainer
from models.training.validation import Validation
from tasks.dataset.squares import fit_square
from tasks.promotion.shipments import list_shipments
from tasks.workspace.parameters import load_recipe
from tasks.workspace.settings import Settings
from tasks.workspace.storage import locked

FAMILIES = ("pix2pix", "colorful")
NETWORK = "network.onnx"
SIDE = 128
HELD_OUT = 20
"""Every so manieth photo of the training split is judged by instead: the validation split is for the benchmark."""
SHARES = ((0.5, 1.0), (0.3, 0.6))
"""Sides of the pieces that are cut from a photo at random, least and most, as shares of its shorter side."""
OF_PACKSHOTS = 8
KEPT_BACK = 8
"""Packshots that are looked at, and not learned from."""


def main() -> None:
    """Train, or go on, to `trained.json` and the exported network."""
    parser = argparse.ArgumentParser(prog="python -m bench.squares", description=__doc__)
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("--export", action="store_true", help="write the network of the last checkpoint, and stop")
    asked, settings = parser.parse_args(), Settings()
    folder = state_of(settings) / asked.family
    if asked.export:
        print(export_checkpoint(build(settings, asked.family), folder))
        return
    train(settings, asked.family, folder)


def state_of(settings: Settings) -> Path:
    """Where the squares and the trainings are."""
    return settings.home / "bench" / "squares"


def train(settings: Settings, name: str, folder: Path, changes: Mapping[str, Any] | None = None) -> None:
    """One training of a family's recipe, with `changes`; its checkpoints and figures are in `folder`."""
    with locked(folder.with_suffix(".lock"), seconds=1, doing=f"training {folder.name}"):
        if (folder / "trained.json").exists():
            return
        images, held_out = load_squares(state_of(settings))
        family = build(settings, name, changes)
        validation = Validation(lambda *_: 0.0, (held_out, np.zeros(len(held_out), np.int64)))
        labels = np.zeros(len(images), np.int64)
        trained = Trainer(family, images, labels, folder, PLAN, validation, Lines(folder.name)).run()
        export_half(family, trained.generator, folder / NETWORK)
        (folder / "trained.json").write_text(json.dumps(describe(trained, family), indent=1) + "\n")


def build(settings: Settings, name: str, changes: Mapping[str, Any] | None = None) -> RestorationFamily:
    """The family of a recipe, with the weights of its seed."""
    config = load_recipe(settings.root, name, dict(changes or {}))
    torch.manual_seed(config.seed)
    family = load_family(name)(config, ImageShape(3, SIDE, 1))
    if not isinstance(family, RestorationFamily):
        raise TypeError(f"{name} is no editing family")
    return family


def find_network(settings: Settings, family: str) -> Path:
    """The shipped network of a family, or the last one that its training exported where none is shipped."""
    shipped = (one.onnx for one in list_shipments() if one.card.family == family)
    return next(shipped, state_of(settings) / family / NETWORK)


def export_checkpoint(family: RestorationFamily, folder: Path) -> str:
    """Write the best generator so far, or the average before any was judged; says how far the training is."""
    state = read_checkpoint(folder / "checkpoint.pt", torch.device("cpu"))
    best = state["best"]["weights"] or {f"generator.{name}": value for name, value in state["average"].items()}
    (folder / "so-far").mkdir(exist_ok=True)
    weights = write_networks(folder / "so-far", best)
    difference = export_half(family, weights, folder / NETWORK)
    told = {"steps": state["step"], "best_value": state["best"]["value"], "config": family.config.model_dump()}
    (folder / "so-far.json").write_text(json.dumps(told, indent=1) + "\n")
    figures = [f"{row['images']}: {-row[key]:.2f} dB" for row in state["history"] if (key := family.criterion) in row]
    return f"update {state['step']}, off by {difference:.1g}; images seen and PSNR: {', '.join(figures)}"


def export_half(family: RestorationFamily, weights: Path, path: Path) -> float:
    """Export with float16 weights; returns the largest difference from the trained network with those weights.

    The weights are rounded before, so that the file makes exactly what the network makes that it is held against.
    """
    rounded = {
        name: value.half().float() if value.numel() >= SMALLEST else value for name, value in load_file(weights).items()
    }
    save_file(rounded, weights)
    difference = export_restoration(family, weights, path)
    halve_weights(path)
    return difference


def load_squares(state: Path) -> tuple[Images, Images]:
    """Squares to learn from (N, 128, 128, 3) and to judge by (M, 128, 128, 3), cut once and kept."""
    paths = [state / f"{split}.npy" for split in ("train", "held-out")]
    if not all(path.exists() for path in paths):
        state.mkdir(parents=True, exist_ok=True)
        clothing = sorted((photo_folder() / "clothing" / "train").rglob("*.jpg"))
        packshots = sorted((photo_folder() / "packshots").glob("*.webp"))[KEPT_BACK:]
        held_out = clothing[::HELD_OUT]
        learned = sorted(set(clothing) - set(held_out))
        np.save(paths[0], np.stack([*cut_squares(learned, 1), *cut_squares(packshots, OF_PACKSHOTS)]))
        np.save(paths[1], np.stack([middle_square(path) for path in held_out]))
    first, second = (np.load(path, mmap_mode="r") for path in paths)
    return first, second


def cut_squares(photos: list[Path], often: int) -> Iterator[Images]:
    """The middle of each photo, and `often` pieces of each of the sizes `SHARES`, seeded."""
    generator = np.random.default_rng(0)
    for path in photos:
        yield middle_square(path)
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        for least, most in SHARES * often:
            side = max(min(SIDE, *image.size), round(min(image.size) * generator.uniform(least, most)))
            left, top = (int(generator.integers(length - side + 1)) for length in image.size)
            yield fit_square(image.crop((left, top, left + side, top + side)), (SIDE, SIDE, 3), 255)


def middle_square(path: Path) -> Images:
    """The photo's middle square, uint8 (128, 128, 3)."""
    with Image.open(path) as image:
        return fit_square(image, (SIDE, SIDE, 3), 255, "crop")


if __name__ == "__main__":
    main()
