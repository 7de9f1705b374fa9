"""How close a family comes to real images by images seen, beside the textbook's own curve of `bench.quality`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.fashion import Judge, load_gradient_recipe, prepare
from bench.quality import find_textbook, follow_family
from tasks.workspace.settings import Settings


def measure(family: str, changes: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train `family` for the textbook's epochs, and pair the distances that were measured after equal images.

    Raises:
        InputError: the textbook was not measured with this seed yet.
    """
    textbook = find_textbook(seed)
    settings = Settings()
    config = load_gradient_recipe(settings, family, changes | {"seed": seed, "epochs": len(textbook)})
    prepared = prepare(settings)
    with tempfile.TemporaryDirectory() as folder:
        rows = follow_family(config, prepared, Judge(settings, prepared), Path(folder), float("inf"))
    return {"family": family, "seed": seed, "recipe": config.model_dump(), "rows": rows, "textbook": textbook}
