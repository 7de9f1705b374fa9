"""Colours for held-out photos that were made grey: how near they come, beside leaving them grey."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from bench.photographs import photo_folder
from bench.squares import find_network
from models.arrays import Images
from models.exported.editor import ExportedRestoration
from models.imaging.adjustments.colouring import colourise
from models.imaging.adjustments.restyling import reduce
from models.imaging.colour import delta_e_2000, lab_to_rgb, rgb_to_lab, to_levels
from models.imaging.inspection.similarity import psnr
from tasks.photos.decoding import read_photo
from tasks.workspace.settings import Settings

NAME = "colorful"
LONGER = 320
PROTOCOL = (
    "The {photos} photos of clothing/validation, their longer side 320 pixels, without their colours (CIE L kept). "
    "PSNR (dB, RGB) and CIEDE2000 against the photo as it was, means over photos; chroma is the mean distance from "
    "grey in CIE Lab, which the photos themselves have as given below"
)


def measure(path: Path | None = None) -> dict[str, Any]:
    """The figures of the network at `path` or of the shipped one, of the grey photos, and the photos' own chroma."""
    paths = sorted((photo_folder() / "clothing" / "validation").rglob("*.jpg"))
    path = path or find_network(Settings(), NAME)
    network = ExportedRestoration(path, threads=1)
    size, multiple = (int(network.facts[name]) for name in ("size", "multiple"))
    found: dict[str, list[dict[str, float]]] = {"grey": [], NAME: [], "photo": []}
    for photo in paths:
        wanted = reduce(np.asarray(read_photo(photo).convert("RGB")), LONGER)
        grey = without_colours(wanted)
        coloured = colourise(grey, lambda lightness: network.run(image=lightness), size, multiple)
        for name, made in (("grey", grey), (NAME, coloured), ("photo", wanted)):
            found[name].append(compare(wanted, made))
    rows = [{"made by": name, **means(figures)} for name, figures in found.items()]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"protocol": PROTOCOL.format(photos=len(paths)), "network_sha256": digest, "rows": rows}


def without_colours(pixels: Images) -> Images:
    """The picture (H, W, 3) with its lightness alone."""
    lab = rgb_to_lab(pixels)
    lab[..., 1:] = 0
    return to_levels(lab_to_rgb(lab))


def compare(wanted: Images, made: Images) -> dict[str, float]:
    """The figures of one picture; equal pictures have a PSNR of infinity."""
    first, second = rgb_to_lab(wanted), rgb_to_lab(made)
    return {
        "psnr": psnr(wanted, made),
        "ciede2000": float(delta_e_2000(first, second).mean()),
        "chroma": float(np.hypot(second[..., 1], second[..., 2]).mean()),
    }


def means(figures: list[dict[str, float]]) -> dict[str, float]:
    """The means over photos of each figure."""
    return {name: round(float(np.mean([one[name] for one in figures])), 4) for name in figures[0]}
