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


def probe(path: Path) -> dict[str, float]:
    """Median milliseconds for one batch of 64, and resident memory in MiB."""
    generator = ExportedGenerator(path)
    generator.sample(BATCH, seed=0)
    times = []
    for seed in range(ROUNDS):
        started = time.perf_counter()
        generator.sample(BATCH, seed)
        times.append(time.perf_counter() - started)
    memory = psutil.Process().memory_info().rss / 2**20
    return {"latency_ms": round(statistics.median(times) * 1000, 2), "memory_mb": round(memory, 1)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(Path(sys.argv[1]))))
