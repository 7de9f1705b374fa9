"""Put finished trainings among the weights that come with Packshot: `python -m bench.ship [TRAINING ...]`.

TRAINING is a folder under `.packshot/bench` with its `trained.json` and its network, such as `restoration/foldsr-x2`;
without any, all of them. One that still runs and was exported on its way has `so-far.json` instead, and is shipped when
it is named. The figures on the cards are measured anew.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import colorizing, inpainting, shapes, super_resolution
from bench.photographs import photo_folder
from bench.restoration import DRAWN, HELD_OUT_KODAK, KODAK_SIZES, PACKSHOT_SIZES, side_of
from bench.squares import HELD_OUT, KEPT_BACK, NETWORK
from models.exported.editor import ExportedRestoration
from models.training.initial import NETWORKS_FILE
from tasks.promotion.shipments import SHIPPED, ShippedCard, TrainedOn
from tasks.registry.slots import slot_of_editor
from tasks.workspace.code import digest_json
from tasks.workspace.git import git_commit
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file

CHAMPIONS = ("foldsr", "pix2pix", "colorful", "faststyle")
"""The families that serve their slots at first."""
HELD_OUT_TEXT = "Held out dB: of the training's own validation pieces, the best of the training"
LARGEST_START = 2_000_000
"""Bytes of networks to start a training from, at most; larger ones are not shipped."""
CC0, BSD, FREE = "CC0", "BSD-3-Clause", "unrestricted use (Kodak)"


class About(NamedTuple):
    """What a card says of the networks of one capability."""

    what: str
    limits: str
    data: tuple[TrainedOn, ...]


def main() -> None:
    """Ship what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m bench.ship", description=__doc__)
    settings = Settings()
    state = settings.home / "bench"
    parser.add_argument("trainings", nargs="*", default=sorted(find_trainings(state)))
    commit = git_commit(settings.root)  # before the weights lie there, and are a change
    for name in parser.parse_args().trainings:
        print(ship(state / name, commit))


def find_trainings(state: Path) -> Iterator[str]:
    """The finished trainings."""
    for told in state.glob("*/*/trained.json"):
        if (told.parent / NETWORK).exists():
            yield str(told.parent.relative_to(state))


def ship(folder: Path, commit: str | None) -> Path:
    """Copy one network to the shipped weights and write its card, made by `commit`; returns the card's path."""
    told = next(path for path in (folder / "trained.json", folder / "so-far.json") if path.exists())
    trained = json.loads(told.read_text())
    network = ExportedRestoration(folder / NETWORK)
    slot, about = slot_of_editor(network.capability, network.facts), describe(network)
    figures, protocol = measure(network, folder / NETWORK)
    path = SHIPPED / f"{slot}-{network.family}.onnx"
    shutil.copyfile(folder / NETWORK, path)
    start = folder / NETWORKS_FILE
    if start.exists() and start.stat().st_size < LARGEST_START:
        shutil.copyfile(start, path.with_suffix(".safetensors"))
    card = ShippedCard(
        slot=slot,
        family=network.family,
        champion=network.family in CHAMPIONS,
        what=about.what,
        sha256=digest_file(path),
        git_commit=commit,
        data=about.data,
        recipe={name: plain(value) for name, value in trained["config"].items() if name != "init_from"},
        figures={"updates": trained.get("updates", trained["steps"]), "held_out_db": -trained["best_value"], **figures},
        protocol=f"{protocol}. Updates: with those of the networks it started from. {HELD_OUT_TEXT}",
        limits=about.limits,
    )
    written = path.with_suffix(".json")
    written.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return written


def plain(value: object) -> str | int | float | bool | None:
    """A parameter as cards have it."""
    return value if isinstance(value, str | int | float | bool | None) else json.dumps(value)


def describe(network: ExportedRestoration) -> About:
    """What a card says whatever the figures are."""
    capability = network.capability
    photos = photo_folder()
    clothing = sorted((photos / "clothing" / "train").rglob("*.jpg"))
    packshots = sorted((photos / "packshots").glob("*.webp"))[KEPT_BACK:]
    if capability == "upscale":
        kodak = [path for path in sorted((photos / "kodak").glob("*.png")) if path.stem not in HELD_OUT_KODAK]
        return About(
            "Enlarges the luma of a photograph; colours are enlarged by bicubic.",
            "It was trained on clean pictures shrunk by bicubic: JPEG's blocks, noise and blur are enlarged with the "
            "rest. Fine text and repeated patterns below two pixels may come out wrong.",
            (
                learned("kodak", kodak, FREE, f"training, at {', '.join(map(str, KODAK_SIZES))} of the size"),
                learned("clothing", clothing, CC0, "training, at 0.5 of the size, where JPEG's traces are gone"),
                learned("packshots", packshots, BSD, f"training, at {', '.join(map(str, PACKSHOT_SIZES))} of the size"),
                drawn(side_of(network.family, int(network.facts["scale"]))),
            ),
        )
    whats = {
        "inpaint": "Fills holes in a photograph from what lies around them.",
        "colorize": "Gives a grey photograph the colours that its shapes and shades make likely.",
        "stylize": "Repaints a photograph in one learned style.",
    }
    limits = {
        "inpaint": "It invents: letters, faces and patterns in a hole are not restored. Trained on 128x128 squares of "
        "clothes and appliances; other subjects come out smoother.",
        "colorize": "It guesses: a grey photograph does not say which colour a shirt had. Trained on clothes and "
        "appliances alone.",
        "stylize": "Trained on clothes and appliances at 128x128; small detail is painted over.",
    }
    kept = [path for place, path in enumerate(clothing) if place % HELD_OUT]
    return About(
        whats[capability],
        limits[capability],
        (
            learned("clothing", kept, CC0, "training, squares of 128 pixels"),
            learned("packshots", packshots, BSD, "training, squares of 128 pixels"),
        ),
    )


def drawn(side: int) -> TrainedOn:
    """The drawn pieces, with a digest of what draws them."""
    digest = digest_json([digest_file(Path(shapes.__file__)), side])
    use = f"training, {side}x{side}: dead leaves, strokes and letters, for their hard edges"
    return TrainedOn(name="bench.shapes", images=DRAWN[side], digest=digest, licence="Apache-2.0", use=use)


def learned(name: str, paths: Sequence[Path], licence: str, use: str) -> TrainedOn:
    """The photos of one source, with a digest over their names and bytes."""
    files = [[path.name, digest_file(path)] for path in paths]
    return TrainedOn(name=name, images=len(files), digest=digest_json(files), licence=licence, use=use)


def measure(network: ExportedRestoration, path: Path) -> tuple[dict[str, float], str]:
    """The figures of held-out photographs, and how they are measured."""
    if network.capability == "upscale":
        scale = int(network.facts["scale"])
        pairs = {scale: super_resolution.read_pairs(photo_folder() / "set5", scale)}
        super_resolution.prove(pairs[scale], scale)
        row = super_resolution.measure_network(path, pairs)
        figures = {"set5_psnr": row["psnr"], "set5_ssim": row["ssim"], "multiply_adds": row["macs"]}
        return figures, super_resolution.PROTOCOL
    if network.capability == "inpaint":
        found = inpainting.measure(path)
        rows = [row for row in found["rows"] if row["method"] == inpainting.NAME]
        return {f"psnr_{named(row['bucket'])}": row["psnr"] for row in rows}, found["protocol"]
    if network.capability == "colorize":
        found = colorizing.measure(path)
        return {
            f"{row['made by']}_{name}": row[name]
            for row in found["rows"]
            for name in ("psnr", "ciede2000", "chroma")
            if row["made by"] != "photo"
        }, found["protocol"]
    return {}, "Loss of style, content and smoothness, as -10 log10"


def named(bucket: tuple[float, float]) -> str:
    """Shares of the area as MLflow allows them in a metric's name: `10_to_20_percent`."""
    least, most = (round(100 * share) for share in bucket)
    return f"{least}_to_{most}_percent"


if __name__ == "__main__":
    main()
