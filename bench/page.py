"""`docs/benchmarks.md`, written from the results that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.results import RESULTS, Spread, load

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench` (`python -m bench`) from `bench/results/*.json`; do not edit by hand. Every ratio was taken
side by side in one run on one machine; a spread is median (least to most). Fréchet distances are over the 128
features of the shipped ruler (`docs/decisions/005-the-ruler.md`), 10,000 generated images against the 10,000 of the
test split: they are not comparable with papers' FID.
"""


def write_page() -> Path:
    """Write the page; a measurement that was never made is left out."""
    training = (speed, sampling, quality, equal, likelihood, memory, transfer)
    editors = (super_resolution, enlarging, inpainting, colorizing, style, editing, batch)
    sections = [section for write in (*training, *editors) for section in write()]
    PAGE.write_text("\n".join([HEAD, *sections]), encoding="utf-8")
    return PAGE


def speed() -> Iterator[str]:
    """Training speed beside the textbook."""
    yield from beside("speed", "Training speed", "textbook", "asked: at least 1.8 where the processor has bf16")


def sampling() -> Iterator[str]:
    """Sampling speed beside the bare session."""
    yield from beside("sampling", "Sampling", "bare", "asked: at least 0.9")


def beside(name: str, title: str, peer: str, asked: str) -> Iterator[str]:
    """Images per second of ours and of a peer, and their ratio."""
    found = load(name)
    if found is None:
        return
    speeds, plan = found["images_per_second"], f" Plan: {found['plan']}." if "plan" in found else ""
    rows = [("packshot", Spread(*speeds["packshot"])), (peer, Spread(*speeds[peer]))]
    yield section(title, f"{found['protocol']}.{plan}", found)
    yield table(("loop", "images/s"), [*rows, ("**ratio**", f"**{Spread(*found['ratio'])}**, {asked}")])


def quality() -> Iterator[str]:
    """The best GAN's distance by time beside the textbook's."""
    for path in sorted(RESULTS.glob("quality-*.json")):
        found = load(path.stem)
        if found is None:
            continue
        goal, best = found["textbook"][-1], min(found["rows"], key=lambda row: row["validation"])
        reached = next((row for row in found["rows"] if row["distance"] <= goal["distance"]), None)
        how = "at the same time, each" if found.get("beside", True) else "one after the other on the same machine, each"
        text = (
            f"The textbook ({len(found['textbook'])} epochs, fp32, batch 128) and ours {how} in a "
            "process of its own on half of the cores; measuring is not counted. Ours is chosen by validation distance."
        )
        yield section(f"Quality on Fashion-MNIST: {found['family']}, seed {found['seed']}", text, found)
        rows = [trained(f"textbook, epoch {epoch}", row) for epoch, row in enumerate(found["textbook"], 1)]
        if reached is not None:
            rows.append(trained(f"{found['family']}, at the textbook's distance", reached))
        rows.append(trained(f"{found['family']}, best", best))
        yield table(("training", "images", "seconds", "processor seconds", "distance", "recall"), rows)
        time = f"{reached['cpu_seconds'] / goal['cpu_seconds']:.2f}" if reached else "not reached"
        part = f"{best['distance'] / goal['distance']:.0%}"
        yield f"Time to the textbook's distance: **{time}** of its processor time (asked: 0.33)."
        yield f"End: **{part}** of its distance (asked: at most 40 %), recall **{best['recall']:.3f}** (asked: 0.95).\n"


def equal() -> Iterator[str]:
    """A family's distance beside the textbook's after equal images."""
    for path in sorted(RESULTS.glob("equal-*.json")):
        found = load(path.stem)
        if found is None:
            continue
        text = "Each by its own recipe; one update of ours takes a smaller batch, so that it makes more of them."
        yield section(f"Distance after equal images: {found['family']}, seed {found['seed']}", text, found)
        rows = [
            (f"{theirs['images']:,}", theirs["distance"], ours["distance"])
            for theirs, ours in zip(found["textbook"], found["rows"], strict=True)
        ]
        yield table(("images seen", "textbook", found["family"]), rows)


def trained(name: str, row: dict[str, float]) -> tuple[object, ...]:
    """A row of the quality table."""
    recall = f"{row['recall']:.3f}" if "recall" in row else ""
    return name, f"{row['images']:,}", f"{row['seconds']:.0f}", f"{row['cpu_seconds']:.0f}", row["distance"], recall


def likelihood() -> Iterator[str]:
    """Bits per dimension of the families that have a likelihood."""
    found = load("likelihood")
    if found is None:
        return
    yield section("Bits per dimension", found["protocol"], found)
    rows = [(row["family"], row["likelihood"], f"{row['bits_per_dimension']:.4f}") for row in found["rows"]]
    yield table(("family", "likelihood", "bits per dimension"), rows)
    yield f"`pixelcnn` is **{found['below']:.1%}** below `vae` (asked: 15 %).\n"


def memory() -> Iterator[str]:
    """Resident memory by epoch."""
    found = load("memory")
    if found is None:
        return
    yield section("Memory of a training", found["protocol"], found)
    rows = list(enumerate(found["resident_mib"], 1))
    yield table(("epoch", "resident MiB"), rows)


def transfer() -> Iterator[str]:
    """Distance by images seen, from scratch and from another catalogue's weights."""
    for path in sorted(RESULTS.glob("transfer-*.json")):
        found = load(path.stem)
        if found is None:
            continue
        yield section(f"Transfer learning: {found['title']}", found["protocol"], found)
        rows = [(f"{row['images']:,}", row["scratch"], row["transferred"]) for row in found["rows"]]
        yield table(("images seen", "distance from scratch", "distance with init_from"), rows)


def super_resolution() -> Iterator[str]:
    """PSNR and SSIM of the upscaling networks on Set5."""
    found = load("super_resolution")
    if found is None:
        return
    yield section("Super-resolution: Set5", f"{found['protocol']}.", found)
    head = ("scale", "family", "multiply-adds", "PSNR (dB)", "SSIM", "published (dB)")
    yield table(head, [upscaled(row) for row in found["rows"]])


def upscaled(row: dict[str, Any]) -> tuple[object, ...]:
    """A row of the super-resolution table."""
    macs = f"{row['macs']:,}" if row["macs"] else ""
    return f"x{row['scale']}", row["family"], macs, f"{row['psnr']:.2f}", f"{row['ssim']:.4f}", row["published"] or ""


def enlarging() -> Iterator[str]:
    """Arithmetic of the upscaling networks, seams of tiles, memory of a large photograph."""
    found = load("enlarging")
    if found is None:
        return
    yield section("What an enlargement costs", f"{found['protocol']}.", found)
    rows = [
        (
            f"x{row['scale']}",
            row["family"],
            *(Spread(*row["rates"][name]) for name in ("network", "product")),
            f"**{Spread(*row['ratio'])}**",
            row["tiles_differ_by"],
        )
        for row in found["rows"]
    ]
    head = ("scale", "family", "network, 1e9/s", "product, 1e9/s", "ratio (asked: 0.7)", "tiles differ by (asked: 1)")
    yield table(head, rows)
    yield f"24 megapixels, twice as large: **{found['megabytes']:,} MiB** (asked: at most 2 GB).\n"


def inpainting() -> Iterator[str]:
    """Holes filled by the network and by the methods without training."""
    found = load("inpainting")
    if found is None:
        return
    yield section("Inpainting", f"{found['protocol']}.", found)
    names = ("psnr", "ssim", "l1", "perceptual")
    rows = [
        ("{:.0%} to {:.0%}".format(*row["bucket"]), row["method"], *(f"{row[name]:.4g}" for name in names))
        for row in found["rows"]
    ]
    yield table(("share of the area", "filled by", "PSNR", "SSIM", "L1", "perceptual"), rows)
    yield "Asked: 1.5 dB above the better of Telea and Navier-Stokes in the two larger buckets, as much in the first.\n"


def colorizing() -> Iterator[str]:
    """Colours found for grey photos, beside leaving them grey."""
    found = load("colorizing")
    if found is None:
        return
    yield section("Colourisation", f"{found['protocol']}.", found)
    names = ("psnr", "ciede2000", "chroma")
    rows = [(row["made by"], *(f"{row[name]:.4g}" for name in names)) for row in found["rows"]]
    yield table(("", "PSNR", "CIEDE2000", "chroma"), rows)


def editing() -> Iterator[str]:
    """A catalogue through `edit` beside bare sessions of the same network."""
    found = load("editing")
    if found is None:
        return
    yield section("Editing a catalogue", f"{found['protocol']}.", found)
    rows = []
    for name, figures in found["figures"].items():
        for form, rate in figures["photos_per_second"].items():
            share = figures["share_of_bare"].get(form)
            rows.append((name, form, Spread(**rate), f"**{share:.0%}**" if share else ""))
    yield table(("operation", "written as", "photos/s", "of bare (asked: 90 %)"), rows)


def batch() -> Iterator[str]:
    """Thousands of mixed photographs in one run that is killed and started again."""
    found = load("batch")
    if found is None:
        return
    yield section(f"A batch of {found['photographs']:,} photographs", f"{found['protocol']}.", found)
    before, after = (", ".join(map(str, found[name])) for name in ("megabytes_before_the_kill", "megabytes_after_it"))
    yield f"MiB by tenth of the run: {before}; after the kill: {after}. Seconds: {found['seconds']}.\n"
    yield (
        f"At the kill {found['there_at_the_kill']:,} were there, of which **{found['redone']}** were done again; "
        f"**{found['lost']}** are missing in the table of {found['rows']:,} rows. Of {found['broken']} broken ones "
        f"**{found['broken_and_reported']}** are named with a reason; {found['sound_but_failed']} sound ones failed.\n"
    )


def style() -> Iterator[str]:
    """Fast style beside the optimisation."""
    found = load("style")
    if found is None:
        return
    yield section("Style transfer: a network against the optimisation", f"{found['protocol']}.", found)
    head = ("style", "painted by", "seconds", "style loss", "content loss")
    yield table(head, [row for one in found["rows"] for row in painted(one)])
    for one in found["rows"]:
        yield f"{one['style']}: **{Spread(*one['ratio'])}** times faster (asked: at least 100).\n"


def painted(row: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    """The rows of one style: the photographs as they are, painted by optimisation and by the network."""
    for name, losses in row["losses"].items():
        seconds = Spread(*row["seconds"][name]) if name in row["seconds"] else ""
        yield row["style"], name, seconds, losses["style"], losses["content"]


def section(title: str, text: str, found: dict[str, Any]) -> str:
    """A heading, how it was measured, and on what."""
    where = found["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in where["packages"].items())
    device = where["gpu"] or f"{where['processor']}, {where['threads']} threads, {where['capability']}"
    return f"## {title}\n\n{text}\n\nMeasured {where['date']} on {device}; {where['system']}; {packages}.\n"


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines) + "\n"
