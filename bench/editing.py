"""What a catalogue costs to edit: `edit` over all cores, against bare sessions of the same network."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from PIL import Image
from safetensors.torch import save_file

from bench.photographs import photo_folder
from bench.results import spread
from models.arrays import Planes
from models.exported.editor import ExportedRestoration, export_restoration
from models.families.discovery import load_family
from models.families.family import ImageShape
from models.imaging.colour import rgb_to_ycbcr
from serving.networks import RegistryNetworks
from tasks.editing.batch import edit_folder
from tasks.editing.job import EditJob
from tasks.operations.contract.operation import Networks, Operation
from tasks.operations.degrade import Degrade
from tasks.operations.upscale import Upscale
from tasks.photos.options import WriteOptions
from tasks.workspace.settings import Settings

PHOTOS = 120
ROUNDS = 3
FAMILIES = ("espcn", "foldsr")
PROTOCOL = (
    "{photos} photos of clothing, 400x533 JPEG, upscaled by 2 in one batch of {workers} workers: decode, edit, encode, "
    "journal and table. Bare: the same ONNX Runtime sessions, one thread each, on the same luma that is already in "
    "memory. For `blur`, which has no network, bare is a loop of Pillow and OpenCV over as many threads. Rounds take "
    "turns; weights are untrained, which costs the same"
)
WORKERS = os.cpu_count() or 1


class OneNetwork:
    """A toolbox of a single exported network, untrained: its arithmetic is that of a trained one."""

    slot, version = "upscale-x2", 1

    def __init__(self, path: Path) -> None:
        self._network = ExportedRestoration(path, threads=1)
        self.family, self.facts = self._network.family, self._network.facts

    def network(self, slot: str, family: str | None = None) -> OneNetwork:
        """The one there is."""
        return self

    def run(self, **inputs: Planes) -> Planes:
        """One call of the network."""
        return self._network.run(**inputs)


class Memory:
    """Listens to a batch and notes how much memory it holds as it goes on."""

    def __init__(self) -> None:
        self.megabytes: list[float] = []

    def update(self, done: int, total: int, note: str = "") -> None:
        """Note the resident memory at each tenth of the way."""
        if done * 10 // total > len(self.megabytes):
            self.megabytes.append(round(psutil.Process().memory_info().rss / 2**20))


def measure() -> dict[str, Any]:
    """Photographs a second, medians of `ROUNDS`: bare sessions, the batch as JPEG and as PNG, and without a network.

    Rounds take turns, so that a busy machine hits all.
    """
    photos = sorted((photo_folder() / "clothing").rglob("*.jpg"))[:PHOTOS]
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "in"
        source.mkdir()
        for number, photo in enumerate(photos):
            shutil.copy(photo, source / f"{number:04d}.jpg")
        figures = {family: compare(family, source, Path(scratch)) for family in FAMILIES}
        figures["blur"] = compare_blur(source, Path(scratch))
    return {"protocol": PROTOCOL.format(photos=len(photos), workers=WORKERS), "figures": figures}


def compare(family: str, source: Path, scratch: Path) -> dict[str, Any]:
    """Bare sessions of an upscaler by 2, and the batch with it."""
    network = OneNetwork(export(family, scratch / f"{family}.onnx"))
    planes = [read_luma(path) for path in sorted(source.iterdir())]
    work = {
        "bare": lambda: run_bare(network, planes),
        "jpg": lambda: run_batch(Upscale(), network, source, scratch, "jpg"),
        "png": lambda: run_batch(Upscale(), network, source, scratch, "png"),
    }
    return take_turns(work, len(planes))


def compare_blur(source: Path, scratch: Path) -> dict[str, Any]:
    """A loop of Pillow and OpenCV as one would write it, over as many threads, and the batch; both to PNG."""
    import cv2

    operation = Degrade(kind="blur", amount=1.5)

    def blur(path: Path) -> None:
        with Image.open(path) as image:
            pixels = cv2.GaussianBlur(np.asarray(image.convert("RGB")), (0, 0), 1.5)
        Image.fromarray(pixels).save(scratch / f"bare-{path.stem}.png")

    def loop() -> None:
        cv2.setNumThreads(1)
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(blur, sorted(source.iterdir())))

    work = {"bare": loop, "png": lambda: run_batch(operation, RegistryNetworks(Settings()), source, scratch, "png")}
    return take_turns(work, len(list(source.iterdir())))


def take_turns(work: dict[str, Callable[[], list[float] | None]], photos: int) -> dict[str, Any]:
    """Photographs a second of each piece of work, their shares of `bare`, and the memory of the last round."""
    rates: dict[str, list[float]] = {name: [] for name in work}
    memory: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, once in work.items():
            started = time.perf_counter()
            held = once()
            rates[name].append(photos / (time.perf_counter() - started))
            if held:
                memory[name] = held
    found: dict[str, Any] = {name: spread(values)._asdict() for name, values in rates.items()}
    shares = {name: round(found[name]["median"] / found["bare"]["median"], 3) for name in work if name != "bare"}
    return {"photos_per_second": found, "share_of_bare": shares, "megabytes_by_tenth": memory}


def run_bare(network: OneNetwork, planes: Sequence[Planes]) -> None:
    """The network on every plane, a thread for each core, and nothing else."""
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda plane: network.run(image=plane), planes))


def run_batch(operation: Operation, network: Networks, source: Path, scratch: Path, form: str) -> list[float]:
    """The batch into a new folder; returns the memory at each tenth, MiB."""
    memory, out = Memory(), Path(tempfile.mkdtemp(dir=scratch))
    job = EditJob.model_validate({"operations": (operation,), "form": form, "write": WriteOptions(), "measured": False})
    edit_folder(Settings(PACKSHOT_HOME=scratch / "home"), job, source, out, network, memory)
    shutil.rmtree(out)
    return memory.megabytes


def export(family: str, path: Path) -> Path:
    """An untrained network of the family, exported."""
    kind = load_family(family)
    torch.manual_seed(0)
    built = kind(kind.Config(family=family, scale=2), ImageShape(3, 96, 1))  # type: ignore[call-arg]
    weights = path.with_suffix(".safetensors")
    save_file({name: value.contiguous() for name, value in built.generator.state_dict().items()}, weights)
    export_restoration(built, weights, path)  # type: ignore[arg-type]
    return path


def read_luma(path: Path) -> Planes:
    """A photograph's luma (1, 1, H, W) in [0, 1]."""
    with Image.open(path) as image:
        return np.ascontiguousarray(rgb_to_ycbcr(np.asarray(image.convert("RGB")))[..., 0])[None, None]
