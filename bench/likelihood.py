"""Bits per dimension of `vae` and `pixelcnn` on Fashion-MNIST's test split, each trained by its recipe."""

from __future__ import annotations

from typing import Any

from safetensors.torch import load_file

from bench.fashion import load_gradient_recipe, prepare
from models.training.trainer import Trainer
from models.training.validation import Validation, mean_bits
from tasks.dataset.prepared import PreparedSet
from tasks.training.networks import build_gradient_family
from tasks.training.speed import NullLog, measure_plan
from tasks.workspace.settings import Settings

FAMILIES = ("vae", "pixelcnn")


def measure() -> dict[str, Any]:
    """Train both, or go on where they were stopped, and measure them on the same 10,000 images."""
    settings = Settings()
    prepared = prepare(settings)
    rows = [train_and_measure(settings, prepared, family) for family in FAMILIES]
    vae, pixelcnn = (row["bits_per_dimension"] for row in rows)
    protocol = (
        "The whole test split of Fashion-MNIST, 28x28 padded with 0 to 32x32, all 1,024 pixels counted, 256 levels. "
        "The VAE's figure is a bound: its true bits per dimension are at most these."
    )
    return {"protocol": protocol, "rows": rows, "below": 1 - pixelcnn / vae}


def train_and_measure(settings: Settings, prepared: PreparedSet, name: str) -> dict[str, Any]:
    """One family's figure, by the weights that were best on the validation split."""
    config = load_gradient_recipe(settings, name, {})
    family = build_gradient_family(config, prepared)
    held_out = prepared.images("validation"), prepared.labels("validation")
    images, labels = prepared.images("train"), prepared.labels("train")
    folder, validation = settings.home / "bench" / name, Validation(lambda *_: 0.0, held_out)
    trained = Trainer(family, images, labels, folder, measure_plan(prepared, config), validation, NullLog()).run()
    family.generator.load_state_dict(load_file(trained.generator))
    bits = mean_bits(family, prepared.images("test"), prepared.labels("test"))
    return {
        "family": name,
        "likelihood": family.likelihood,
        "bits_per_dimension": bits,
        "seconds": round(trained.seconds),
        "recipe": config.model_dump(),
    }
