"""Fast style against the optimisation, and the trainings of its networks: `python -m bench.style [STYLE ...]`.

STYLE is a picture's file; without any, the picture of `bench.draw_style`. Run it again to go on with a training.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bench.draw_style import PATH
from bench.photographs import photo_folder
from bench.results import spread
from bench.squares import NETWORK, train
from models.editors.faststyle import read_style
from models.exported.editor import ExportedRestoration
from models.families.gatys import measure_losses, paint_towards
from models.imaging.adjustments.restyling import reduce
from models.losses.perceptual import load_features
from models.losses.style import Losses
from tasks.operations.stylize import Stylize, paint_by_network, to_tensor
from tasks.photos.decoding import read_photo
from tasks.registry.slots import name_style
from tasks.workspace.settings import Settings

WEIGHTS = Path(__file__).resolve().parent.parent / "models" / "weights"
SIZE = 256
PHOTOS = 4
ROUNDS = 3
STEPS = Stylize(style="any").steps
PROTOCOL = (
    f"Held-out packshots at {SIZE} pixels, one thread: {STEPS} steps of the optimisation, and one call of the network "
    "by ONNX Runtime, in turns. Losses over EfficientNet-Lite0's maps, style and content each, means over the photos"
)


def main() -> None:
    """Train a network for each style, or go on, to `trained.json` and the exported network."""
    parser = argparse.ArgumentParser(prog="python -m bench.style", description=__doc__)
    parser.add_argument("styles", nargs="*", default=[os.path.relpath(PATH)])
    settings = Settings()
    for style in parser.parse_args().styles:
        train(settings, "faststyle", settings.home / "bench" / "style" / name_style(style), {"style": style})


def measure() -> dict[str, Any]:
    """Seconds a photo and losses, for each style that has a network.

    Raises:
        SystemExit: there is none.
    """
    networks = find_networks()
    if not networks:
        raise SystemExit("error: style: got no trained network, allowed: those of `python -m bench.style`")
    torch.set_num_threads(1)
    return {"protocol": PROTOCOL, "rows": [compare(path) for path in networks]}


def find_networks() -> list[Path]:
    """The shipped networks; those of the trainings where a style is not shipped yet."""
    trained = sorted((Settings().home / "bench" / "style").glob(f"*/{NETWORK}"))
    shipped = sorted(WEIGHTS.glob("stylize-*.onnx"))
    names = {path.stem.removeprefix("stylize-") for path in shipped}
    return [*shipped, *(path for path in trained if path.parent.name not in names)]


def compare(path: Path) -> dict[str, Any]:
    """One style's row."""
    network = Timed(path)
    features, style = load_features("lite0"), read_style(network.style, SIZE)
    photos = sorted((photo_folder() / "packshots").glob("*.webp"))[:PHOTOS]
    slow, fast, losses = [], [], list[tuple[Losses, ...]]()
    for photo in photos:
        pixels = reduce(np.asarray(read_photo(photo).convert("RGB")), SIZE)
        content = to_tensor(pixels)
        started = time.perf_counter()
        painted = paint_towards(content, style, features, STEPS)
        slow.append(time.perf_counter() - started)
        made = to_tensor(network.paint(pixels))
        fast.append(network.seconds)
        losses.append(tuple(measure_losses(one, content, style, features) for one in (content, painted, made)))
    ratio = spread([one / other for one, other in zip(slow, fast, strict=True)])
    names = ("photo", "optimisation", "network")
    means = {name: mean_losses([row[place] for row in losses]) for place, name in enumerate(names)}
    return {
        "style": name_style(network.style),
        "seconds": {"optimisation": spread(slow), "network": spread(fast)},
        "ratio": ratio,
        "losses": means,
    }


class Timed:
    """An exported network, as the operation uses it, and how long its last call took."""

    slot, version = "stylize", 0

    def __init__(self, path: Path) -> None:
        self._network = ExportedRestoration(path, threads=1)
        self.family, self.facts = self._network.family, self._network.facts
        self.style = str(self.facts["style"])
        self.seconds = 0.0

    def paint(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The picture (H, W, 3) painted; timed with what comes before and after the call, the best of `ROUNDS`."""
        times = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            made = paint_by_network(self, pixels)
            times.append(time.perf_counter() - started)
        self.seconds = min(times)
        return made

    def run(self, **inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """One call of the network."""
        return self._network.run(**inputs)


def mean_losses(found: list[Losses]) -> dict[str, float]:
    """The means of the losses over photos, to four digits."""
    return {name: float(f"{np.mean([float(getattr(one, name)) for one in found]):.4g}") for name in Losses._fields}


if __name__ == "__main__":
    main()
