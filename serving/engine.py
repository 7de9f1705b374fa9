"""The inference engine: a registered version, loaded from its ONNX file and run without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from models.errors import RegistryError
from models.exported.generator import ExportedGenerator
from tasks.promotion.gate import Servability
from tasks.registry.loading import VersionInfo, load_version
from tasks.workspace.settings import TrackingPlace

PROBE_SECONDS = 600


@dataclass(frozen=True)
class Served:
    """A version and the generator loaded from it."""

    version: VersionInfo
    generator: ExportedGenerator


def load(settings: TrackingPlace, slot: str, version_or_alias: int | str = "champion") -> Served:
    """Load `models:/SLOT@ALIAS`, or a version by its number.

    Raises:
        RegistryError: there is no such slot, version or champion.
    """
    version = load_version(settings, slot, version_or_alias)
    return Served(version, ExportedGenerator(version.onnx_path))


def measure_servability(onnx: Path, difference: float) -> Servability:
    """Load the file in a fresh process, as serving does, and measure its latency and memory.

    `difference` is the measured difference between the exported and the trained network.

    Raises:
        RegistryError: the file does not load in the serving engine.
    """
    command = [sys.executable, "-m", "serving.probe", str(onnx)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise RegistryError(f"{onnx} made no batch in the serving engine within {PROBE_SECONDS} s") from error
    if ended.returncode != 0:
        reason = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        raise RegistryError(f"{onnx} does not load in the serving engine: {reason}")
    measured = json.loads(ended.stdout)
    return Servability(difference, measured["latency_ms"], measured["memory_mb"])
