"""Holes in held-out photos, filled by `pix2pix` and by the methods that need no training, by share of the area."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.photographs import photo_folder
from bench.squares import SIDE, find_network, middle_square
from models.arrays import Images, Mask
from models.editors.pix2pix import MULTIPLE
from models.exported.editor import ExportedRestoration
from models.families.free_form import BUCKETS, draw_mask
from models.families.restoration import from_bytes
from models.imaging.filling.fill import fill_by
from models.imaging.filling.holes import fill_piece
from models.imaging.inspection.similarity import psnr, ssim
from models.losses.perceptual import Features, load_features, perceptual_distance
from tasks.workspace.settings import Settings

NAME = "pix2pix"
BASELINES = ("telea", "navier-stokes")
SEED = 0
Fill = Callable[[Images, Mask], Images]
PROTOCOL = (
    "The middle squares of all {photos} photos of clothing/validation, reduced to 128x128 (Lanczos); free-form holes, "
    "seed {seed}, one a photo and bucket. PSNR (dB, RGB) and L1 (grey levels) over the whole image, the mean over "
    "photos; SSIM with a Gaussian window of 11. Perceptual: squared distance of unit-length features of "
    "EfficientNet-Lite0 at 1/2, 1/4, 1/8 and 1/16 (as LPIPS, all channels weighted alike). Telea and Navier-Stokes are "
    "OpenCV's, radius 3"
)


def measure(network: Path | None = None) -> dict[str, Any]:
    """The figures of each method and bucket, those of the network at a path or of the shipped one among them."""
    paths = sorted((photo_folder() / "clothing" / "validation").rglob("*.jpg"))
    images = [middle_square(path) for path in paths]
    network = network or find_network(Settings(), NAME)
    exported, features = ExportedRestoration(network, threads=1), load_features("lite0")
    methods: dict[str, Fill] = {name: partial(fill_by, name) for name in BASELINES}
    methods[NAME] = lambda image, hole: fill_piece(
        image, hole, lambda planes, mask: exported.run(image=planes, mask=mask), MULTIPLE
    )
    rows = []
    for share in BUCKETS:
        generator = np.random.default_rng(SEED)
        holes = [draw_mask(SIDE, SIDE, share, generator) for _ in images]
        rows += [
            {"bucket": share, "method": name, **judge(fill, images, holes, features)} for name, fill in methods.items()
        ]
    digest = hashlib.sha256(network.read_bytes()).hexdigest()
    return {"protocol": PROTOCOL.format(photos=len(images), seed=SEED), "network_sha256": digest, "rows": rows}


def judge(fill: Fill, images: list[Images], holes: list[Mask], features: Features) -> dict[str, float]:
    """Means over the images of the four figures."""
    pairs = [(image, fill(image, hole)) for image, hole in zip(images, holes, strict=True)]
    with torch.inference_mode():
        distances = [
            float(perceptual_distance(*(features(from_bytes(one[None])) for one in pair)).item()) for pair in pairs
        ]
    figures = {
        "psnr": [psnr(*pair) for pair in pairs],
        "ssim": [ssim(*pair) for pair in pairs],
        "l1": [float(np.abs(first.astype(float) - second).mean()) for first, second in pairs],
        "perceptual": distances,
    }
    return {name: round(float(np.mean(values)), 5) for name, values in figures.items()}
