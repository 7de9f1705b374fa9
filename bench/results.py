"""What a measurement leaves: one JSON file in `bench/results/`, with the machine and the versions it was made on."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import torch

from models.training.speed import has_fast_bf16

RESULTS = Path(__file__).with_name("results")
PACKAGES = ("torch", "onnxruntime", "numpy")


class Spread(NamedTuple):
    """Median, smallest and largest of repeated measurements."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.least:.3g} to {self.most:.3g})"


def spread(values: Sequence[float]) -> Spread:
    """The spread of `values`, rounded to four digits."""
    return Spread(*(float(f"{value:.4g}") for value in (statistics.median(values), min(values), max(values))))


def machine() -> dict[str, Any]:
    """What the figures depend on: processor, threads, number formats and versions."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "bf16": has_fast_bf16(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "packages": {name: version(name) for name in PACKAGES},
    }


def processor() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def save(name: str, figures: dict[str, Any]) -> Path:
    """Write the figures of the measurement `name`, with the machine."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    text = json.dumps({"name": name, "machine": machine(), **figures}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def load(name: str) -> dict[str, Any] | None:
    """The figures that were last measured, or None."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return None
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures
