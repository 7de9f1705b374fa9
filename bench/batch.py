"""Ten thousand mixed photographs through one `packshot edit`, killed in the middle: memory, losses, what is redone."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from bench.photographs import photo_folder

PHOTOS = 10_000
BROKEN_EVERY = 100
SIDES = (160, 900)
"""Longer sides of the photographs, least and most, pixels."""
OPERATIONS = ("enhance:auto", "frame,square=true,minimum_side=300")
KILLED_AT = 0.5
POLL_SECONDS = 1.0
PROTOCOL = (
    f"{PHOTOS:,} photographs made from clothing and packshots: longer sides of {SIDES[0]} to {SIDES[1]} pixels, JPEG "
    "(RGB, grey, CMYK), PNG (RGB, RGBA, palette, 16 bits), WebP; each hundredth is broken (cut off, empty, or text). "
    f"`packshot edit` with {' and '.join(OPERATIONS)} to JPEG, killed by SIGKILL when half was there, started again. "
    "Memory is that of all its processes, Prefect's server among them, each second"
)


def measure(photos: int = PHOTOS) -> dict[str, Any]:
    """Memory by tenth of either run, and what the second run and the table came to."""
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch) / "photos", Path(scratch) / "edited"
        broken = set(make_photographs(source, photos))
        first = run(source, out, Path(scratch) / "home", kill_at=int(photos * KILLED_AT))
        before = {path.name: path.stat().st_mtime_ns for path in results(out)}
        second = run(source, out, Path(scratch) / "home")
        after = {path.name: path.stat().st_mtime_ns for path in results(out)}
        with (out / "edits.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        failed = {row["input"] for row in rows if row["status"] != "edited"}
        return {
            "protocol": PROTOCOL,
            "photographs": photos,
            "megabytes_before_the_kill": first["megabytes"],
            "megabytes_after_it": second["megabytes"],
            "seconds": [first["seconds"], second["seconds"]],
            "there_at_the_kill": len(before),
            "redone": sum(before[name] != after.get(name) for name in before),
            "rows": len(rows),
            "lost": photos - len({row["input"] for row in rows}),
            "status": dict(Counter(row["status"] for row in rows)),
            "broken": len(broken),
            "broken_and_reported": len(broken & failed),
            "sound_but_failed": len(failed - broken),
            "reasons": sorted({row["reason"] for row in rows if row["status"] != "edited"})[:8],
        }


def run(source: Path, out: Path, home: Path, kill_at: int | None = None) -> dict[str, Any]:
    """One `packshot edit`, to its end or until so many results are there; its memory at each tenth of the run, MiB."""
    packshot = Path(sys.executable).with_name("packshot")
    command = [str(packshot), "edit", str(source), "-o", str(out), "--format", "jpg", "--no-measure"]
    command += [part for operation in OPERATIONS for part in ("--op", operation)]
    environment = {**os.environ, "PACKSHOT_HOME": str(home), "PACKSHOT_OFFLINE": "true"}
    started, held = time.monotonic(), list[float]()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
        while process.poll() is None:
            held.append(memory_of(process.pid))
            if kill_at is not None and sum(1 for _ in results(out)) >= kill_at:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        seconds = round(time.monotonic() - started)
        output.seek(0)
        print(output.read().decode(errors="replace")[-2000:])
    tenths = [round(max(part)) for part in np.array_split(np.array(held), 10) if len(part)]
    return {"megabytes": tenths, "seconds": seconds}


def memory_of(pid: int) -> float:
    """Resident MiB of a process and its children."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        return total / 2**20
    return total / 2**20


def results(out: Path) -> Iterator[Path]:
    """The finished files."""
    return out.glob("*.jpg") if out.exists() else iter(())


def make_photographs(folder: Path, count: int) -> Iterator[str]:
    """Write the photographs; yields the names of the broken ones."""
    folder.mkdir(parents=True)
    found = [
        *sorted((photo_folder() / "clothing").rglob("*.jpg"))[::60],
        *(photo_folder() / "packshots").glob("*.webp"),
    ]
    sources, generator = [read_reduced(path) for path in found], np.random.default_rng(0)
    for number in range(count):
        photo, side = sources[number % len(sources)].copy(), int(generator.integers(*SIDES))
        photo.thumbnail((side, side))
        suffix, written = encode(photo, number)
        name = f"photo {number:05d}{suffix}"
        if number % BROKEN_EVERY == 0:
            written = (written[: len(written) // 3], b"", b"no photograph")[number // BROKEN_EVERY % 3]
            yield name
        (folder / name).write_bytes(written)


def read_reduced(path: Path) -> Image.Image:
    """A photograph no larger than those that are made of it."""
    with Image.open(path) as image:
        photo = image.convert("RGB")
    photo.thumbnail((SIDES[1], SIDES[1]))
    return photo


def encode(photo: Image.Image, number: int) -> tuple[str, bytes]:
    """A photograph in one of eight forms, and its suffix."""
    modes = ("RGB", "L", "CMYK", "RGB", "RGBA", "P", "I;16", "RGB")
    suffix = (".jpg", ".jpg", ".jpg", ".png", ".png", ".png", ".png", ".webp")[number % 8]
    mode, stream = modes[number % 8], io.BytesIO()
    made = deepen(photo) if mode == "I;16" else photo.convert(mode)
    made.save(stream, {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}[suffix])
    return suffix, stream.getvalue()


def deepen(photo: Image.Image) -> Image.Image:
    """The photograph in grey with 16 bits."""
    return Image.fromarray(np.asarray(photo.convert("L"), np.uint16) * 257)
