"""The serving cost of one model, measured in its own process: `python -m serving.probe FILE.onnx`."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from models.exported.editor import ExportedRestoration
from models.exported.generator import ExportedGenerator
from models.exported.noise import BATCH
from models.exported.onnx_file import open_session

ROUNDS = 20
SECONDS = 20.0
"""The time limit for all rounds; a slower model is measured in fewer."""
SIDE = 256
"""Height and width of the one image that an editing network is timed by."""


def probe(path: Path, seconds: float = SECONDS) -> dict[str, float]:
    """Median milliseconds for one batch, and resident memory in MiB; at least one batch, at most `ROUNDS`.

    A generator's batch is 64 images, an editing network's one of 256x256 as it enters the network.
    """
    call = choose_call(path)
    call(0)
    times: list[float] = []
    while not times or (len(times) < ROUNDS and sum(times) < seconds):
        started = time.perf_counter()
        call(len(times))
        times.append(time.perf_counter() - started)
    memory = psutil.Process().memory_info().rss / 2**20
    return {"latency_ms": round(statistics.median(times) * 1000, 2), "memory_mb": round(memory, 1)}


def choose_call(path: Path) -> Callable[[int], object]:
    """The call to time: one batch of a generator or an editing network, from a seed."""
    _, facts = open_session(path, ())
    if "capability" not in facts:
        generator = ExportedGenerator(path)
        return lambda seed: generator.sample(BATCH, seed)
    editor = ExportedRestoration(path)
    shapes = {name: (1, channels, SIDE, SIDE) for name, channels in editor.inputs.items()}

    def restore(seed: int) -> object:
        noise = np.random.default_rng(seed)
        return editor.run(**{name: noise.random(shape, dtype=np.float32) for name, shape in shapes.items()})

    return restore


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(Path(sys.argv[1]))))
