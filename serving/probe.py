"""What one model costs to serve, measured in a process of its own: `python -m serving.probe FILE.onnx`."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import psutil

from models.exported import BATCH, ExportedGenerator

ROUNDS = 20
SECONDS = 20.0
"""A model that takes longer than this for all rounds is slow enough to be known by fewer."""


def probe(path: Path, seconds: float = SECONDS) -> dict[str, float]:
    """Median milliseconds for one batch of 64, and resident memory in MiB; at least one batch, at most `ROUNDS`."""
    generator = ExportedGenerator(path)
    generator.sample(1, seed=0)
    times: list[float] = []
    while not times or (len(times) < ROUNDS and sum(times) < seconds):
        started = time.perf_counter()
        generator.sample(BATCH, seed=len(times))
        times.append(time.perf_counter() - started)
    memory = psutil.Process().memory_info().rss / 2**20
    return {"latency_ms": round(statistics.median(times) * 1000, 2), "memory_mb": round(memory, 1)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(Path(sys.argv[1]))))
