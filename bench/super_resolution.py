"""PSNR and SSIM of the upscaling networks on Set5, after bicubic has shown that the protocol is the papers'."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from bench.photographs import photo_folder
from models.arrays import Planes
from models.exported.editor import ExportedRestoration
from models.imaging.colour import luma
from models.imaging.inspection.similarity import psnr, ssim
from models.imaging.scaling.enlarging import EnlargeLuma
from models.imaging.scaling.resampling import resize
from tasks.workspace.settings import Settings

BICUBIC = {2: 33.66, 3: 30.39, 4: 28.42}
"""What papers report for bicubic on Set5, by scale."""
TOLERANCE = 0.04
PUBLISHED = {"srcnn": {2: 36.66, 3: 32.75, 4: 30.49}, "espcn": {2: 36.85, 3: 32.88, 4: 30.6}}
WEIGHTS = Path(__file__).resolve().parent.parent / "models" / "weights"
PROTOCOL = (
    "Set5, its own small pictures enlarged; luma by BT.601, 16 to 235, rounded to whole levels, a border of `scale` "
    "pixels left out; the mean over the five pictures. Multiply-adds are for a pixel of the small picture"
)


class Pair(NamedTuple):
    """Luma in [0, 1] of a picture as it should be, and of its small version."""

    large: Planes
    small: Planes


def measure() -> dict[str, Any]:
    """The figures of bicubic and of each network there is.

    Raises:
        SystemExit: bicubic does not reach the published figures, so that no other figure would mean anything.
    """
    photos = photo_folder()
    pairs = {scale: read_pairs(photos / "set5", scale) for scale in BICUBIC}
    rows = [prove(pairs[scale], scale) for scale in pairs]
    for path in find_networks():
        rows.append(measure_network(path, pairs))
    rows.sort(key=lambda row: (row["scale"], row["psnr"]))
    return {"protocol": PROTOCOL, "rows": rows}


def prove(pairs: list[Pair], scale: int) -> dict[str, Any]:
    """Bicubic's row, when it is what papers report."""
    found = score(pairs, scale, lambda small: resize(small, *(side * scale for side in small.shape)))
    wanted = BICUBIC[scale]
    if not abs(found["psnr"] - wanted) <= TOLERANCE:
        raise SystemExit(f"error: bicubic x{scale}: got {found['psnr']:.3f} dB, allowed: {wanted} within {TOLERANCE}")
    return {"family": "bicubic", "scale": scale, "macs": None, "published": wanted, **found}


def measure_network(path: Path, pairs: dict[int, list[Pair]]) -> dict[str, Any]:
    """The row of one exported network."""
    network = ExportedRestoration(path)
    scale, family = int(network.facts["scale"]), network.family
    found = score(pairs[scale], scale, lambda small: network.run(image=small[None, None])[0, 0])
    published = PUBLISHED.get(family, {}).get(scale)
    return {"family": family, "scale": scale, "macs": network.facts["macs"], "published": published, **found}


def score(pairs: list[Pair], scale: int, enlarge: EnlargeLuma) -> dict[str, float]:
    """Mean PSNR in dB and SSIM of what `enlarge` makes of the small pictures."""
    figures = [compare(pair.large, enlarge(pair.small), scale) for pair in pairs]
    return {name: statistics.mean(one[name] for one in figures) for name in ("psnr", "ssim")}


def compare(wanted: Planes, made: Planes, scale: int) -> dict[str, float]:
    """PSNR and SSIM of one picture, by the protocol above."""
    inner = slice(scale, -scale)
    first, second = (np.rint(16 + 219 * np.clip(plane, 0, 1))[inner, inner] for plane in (wanted, made))
    return {"psnr": psnr(first, second), "ssim": ssim(first, second)}


def read_pairs(folder: Path, scale: int) -> list[Pair]:
    """The pictures of Set5 at one scale.

    Raises:
        SystemExit: they are not there.
    """
    large = sorted((folder / f"image_SRF_{scale}").glob("*_HR.png"))
    if len(large) != 5:
        raise SystemExit(f"error: {folder}: got {len(large)} pictures of scale {scale}, allowed: Set5's 5")
    return [Pair(read(path), read(path.with_name(path.name.replace("_HR", "_LR")))) for path in large]


def read(path: Path) -> Planes:
    """A picture's luma in [0, 1]."""
    with Image.open(path) as image:
        return luma(np.asarray(image.convert("RGB")))


def find_networks() -> Iterator[Path]:
    """The shipped networks; those of `python -m bench.restoration` stand in for what is not shipped yet."""
    trained = sorted((Settings().home / "bench" / "restoration").glob("*/network.onnx"))
    shipped = sorted(WEIGHTS.glob("upscale-*.onnx"))
    have = {kind(path) for path in shipped}
    yield from (*shipped, *(path for path in trained if kind(path) not in have))


def kind(path: Path) -> tuple[str, int]:
    """Family and scale of an exported network."""
    network = ExportedRestoration(path)
    return network.family, int(network.facts["scale"])
