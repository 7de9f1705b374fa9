"""Images per second of our sampling against the bare ONNX Runtime loop on the same file: in turn, as a ratio."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.results import spread
from models.exported.generator import ExportedGenerator, export_generator
from models.exported.noise import BATCH
from models.families.family import ImageShape
from models.generators.dcgan import DCGAN, DCGANConfig

COUNT = 100 * BATCH
ROUNDS = 9
CATEGORIES = [str(number) for number in range(10)]


def measure() -> dict[str, Any]:
    """Rounds of sampling by both; the bare loop only makes noise and calls the session."""
    with tempfile.TemporaryDirectory() as folder:
        path = export(Path(folder))
        generator, bare = ExportedGenerator(path), bare_loop(path)
        ways: dict[str, Callable[[], object]] = {"packshot": lambda: generator.sample(COUNT, 0), "bare": bare}
        for way in ways.values():
            way()
        speeds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                speeds[name].append(COUNT / (time.perf_counter() - started))
    ratios = [first / second for first, second in zip(*speeds.values(), strict=True)]
    return {
        "protocol": f"dcgan, 32x32x1, {COUNT:,} images in batches of {BATCH}, {ROUNDS} rounds in turn, one process; "
        "ours ends in uint8 images, the bare loop in float32 outputs",
        "images_per_second": {name: spread(values) for name, values in speeds.items()},
        "ratio": spread(ratios),
    }


def export(folder: Path) -> Path:
    """An untrained conditional generator of the default recipe as an ONNX file."""
    from safetensors.torch import save_file

    torch.manual_seed(0)
    family = DCGAN(DCGANConfig(conditional=True), ImageShape(1, 32, len(CATEGORIES)))
    weights = {name: value.contiguous() for name, value in family.generator.state_dict().items()}
    save_file(weights, folder / "generator.safetensors")
    export_generator(family, folder / "generator.safetensors", CATEGORIES, folder / "generator.onnx")
    return folder / "generator.onnx"


def bare_loop(path: Path) -> Callable[[], object]:
    """The least that makes as many images: noise, a session, and nothing done with what it returns."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    size = session.get_inputs()[0].shape[1]

    def run() -> None:
        random, categories = np.random.default_rng(0), np.arange(BATCH, dtype=np.int64) % 10
        for _ in range(COUNT // BATCH):
            noise = random.standard_normal((BATCH, size), dtype=np.float32)
            session.run(["image"], {"latent": noise, "category": categories})

    return run
