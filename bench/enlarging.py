"""What an enlargement costs: arithmetic beside a matrix product, memory for a large photograph, seams of tiles."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.photographs import photo_folder
from bench.results import spread
from bench.super_resolution import find_networks
from models.arrays import Images
from models.exported.editor import ExportedRestoration
from models.imaging.scaling.enlarging import TILE, enlarge

SIDE = 2048
"""Of the matrices."""
ROUNDS = 9
LARGE = (6000, 4000)
MIDDLE = (1500, 1000)
PROTOCOL = (
    f"One thread. Arithmetic: ONNX Runtime on the luma of one tile of {TILE}x{TILE} result pixels, two operations a "
    f"multiply-add, beside torch's product of two {SIDE}x{SIDE} float32 matrices, {ROUNDS} rounds in turn. Tiles: the "
    "largest difference, in grey levels, between a photo of {middle} pixels enlarged in tiles and in one piece. "
    "Memory: the peak of the process `packshot edit PHOTO --op upscale:2`, PNG to PNG, for a photo of {large} pixels "
    "that is put together from Kodak's"
)


def measure() -> dict[str, Any]:
    """A row for each network there is, and the memory of one large photograph in MiB."""
    megabytes = edit_large()  # first: a child's peak counts what its parent held when it was started
    torch.set_num_threads(1)
    tiles = mosaic(MIDDLE)
    rows = [compare(path, tiles) for path in find_networks()]
    sizes = {name: "x".join(map(str, size)) for name, size in (("middle", MIDDLE), ("large", LARGE))}
    return {"protocol": PROTOCOL.format(**sizes), "rows": rows, "megabytes": round(megabytes)}


def compare(path: Path, photo: Images) -> dict[str, Any]:
    """The arithmetic rate of one network and of the product in 1e9 operations a second, and what tiles change."""
    network = ExportedRestoration(path, threads=1)
    scale, reach, macs = (int(network.facts[name]) for name in ("scale", "reach", "macs"))
    side = TILE // scale
    plane = np.random.default_rng(0).random((1, 1, side, side), np.float32)
    matrix = torch.rand(SIDE, SIDE)
    rates: dict[str, list[float]] = {"network": [], "product": []}
    for _ in range(ROUNDS):
        began = time.perf_counter()
        network.run(image=plane)
        between = time.perf_counter()
        matrix @ matrix
        ended = time.perf_counter()
        rates["network"].append(2e-9 * macs * side**2 / (between - began))
        rates["product"].append(2e-9 * SIDE**3 / (ended - between))
    ratio = spread([one / other for one, other in zip(rates["network"], rates["product"], strict=True)])
    tiled, whole = (
        enlarge(photo, scale, lambda small: network.run(image=small[None, None])[0, 0], reach, tile)
        for tile in (TILE, max(photo.shape) * scale)
    )
    return {
        "family": network.family,
        "scale": scale,
        "rates": {name: spread(values) for name, values in rates.items()},
        "ratio": ratio,
        "tiles_differ_by": int(np.abs(tiled.astype(np.int16) - whole).max()),
    }


def edit_large() -> float:
    """The largest resident memory of one `packshot edit`, MiB."""
    packshot = Path(sys.executable).with_name("packshot")
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch) / "large.png", Path(scratch) / "out.png"
        Image.fromarray(mosaic(LARGE)).save(source)
        environment = {**os.environ, "PACKSHOT_HOME": str(Path(scratch) / "home")}
        command: list[str | Path] = [packshot, "edit", source, "--op", "upscale:2", "-o", out]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"error: packshot edit: got status {status}, allowed: 0")
    return usage.ru_maxrss / 1024


def mosaic(size: tuple[int, int]) -> Images:
    """A photo (H, W, 3) of `size`, width and height, made of Kodak's photos side by side."""
    width, height = size
    whole = Image.new("RGB", size)
    photos = sorted((photo_folder() / "kodak").glob("*.png"))
    places = [(left, top) for top in range(0, height, 512) for left in range(0, width, 768)]
    for number, place in enumerate(places):
        with Image.open(photos[number % len(photos)]) as image:
            whole.paste(image.convert("RGB"), place)
    return np.asarray(whole)
