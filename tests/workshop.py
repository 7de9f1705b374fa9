"""A checkout that can train: a small catalogue of shapes pinned by DVC, and recipes that take seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tasks.versions.additions import add_folder
from tasks.workspace.settings import Settings
from tests.catalogues import commit_all, draw_category, make_checkout

CATEGORIES = ("box", "bigbox", "ring")
LABELS = (0, 4, 8)
SIDE = 32
NOBODY = 9
"""A port that no server of a test can be given: those are taken from the high ones."""
STARTUP_SECONDS = 500
"""Of a Prefect server: 10 on a quiet machine, minutes on a busy one."""
PARAMS = {
    "prepare": {"default": {"size": SIDE, "background": 0}},
    "validate": {"quarantine": False, "max_quarantined": 0.02},
    "families": {
        "dcgan": {
            "family": "dcgan",
            "epochs": 2,
            "batch_size": 16,
            "width": 8,
            "latent": 16,
            "conditional": True,
            "precision": "32-true",
            "memory_format": "contiguous",
        },
        "gp": {"family": "gp", "rank": 8},
        "mrf": {"family": "mrf", "levels": 4, "styles": 2, "sweeps": 2, "iterations": 60, "batch_size": 16},
    },
    "ruler": {"epochs": 4, "batch_size": 16, "updates": 60},
    "evaluate": {"samples": 150, "seed": 1},
    "gate": {
        "max_distance_of_untrained": 1.0,
        "min_category_recall": 0.0,
        "min_category_share": 0.0,
        "max_category_distance_of_untrained": 1.0,
    },
}


def draw_shapes(folder: Path, count: int = 60, seed: int = 0) -> Path:
    """`count` PNGs of each of three shapes, in category folders."""
    generator = np.random.default_rng(seed)
    for category, label in zip(CATEGORIES, LABELS, strict=True):
        (folder / category).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = np.pad(draw_category(label, generator), 2, constant_values=12)
            Image.fromarray(pixels).save(folder / category / f"{number:03d}.png")
    return folder


def make_workshop(root: Path) -> Settings:
    """A checkout with the catalogue `shapes`, committed."""
    settings = make_checkout(root / "checkout")
    (settings.root / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    add_folder(settings, draw_shapes(root / "shapes"), "shapes")
    commit_all(settings.root, "shapes")
    return settings


@contextmanager
def at_work(settings: Settings) -> Iterator[Settings]:
    """A Prefect server, and an environment that names the checkout of `settings`, where no MLflow server is up."""
    from prefect.testing.utilities import prefect_test_harness

    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(server_startup_timeout=STARTUP_SECONDS):
        for name, value in {"ROOT": settings.root, "OFFLINE": "true", "MLFLOW_PORT": NOBODY}.items():
            patch.setenv(f"PACKSHOT_{name}", str(value))
        yield Settings()
