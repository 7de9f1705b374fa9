"""Publish generated images: PNG files that each carry their provenance, recorded in the lineage index."""

from __future__ import annotations

import time
from importlib.metadata import version as installed_version
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from models.errors import InputError
from models.exported.generator import ExportedGenerator
from tasks.generation.trail import record_images
from tasks.photos.contact_sheet import grid
from tasks.provenance.generated import Provenance, encode_png, write_sheet
from tasks.registry.register import VersionInfo
from tasks.workspace.progress import Progress
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file, explain_os_error, write_atomically

ROWS = 8
SCALE = 2
MOST_IMAGES = 100_000


class Published(BaseModel):
    """Files that were written: `images` in the order of their index, and one `sheet` of the first of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    images: list[Path]
    sheet: Path
    seconds: float


def publish(
    settings: Settings,
    version: VersionInfo,
    generator: ExportedGenerator,
    count: int,
    seed: int,
    category: str | None,
    folder: Path,
    flow_run: str,
    progress: Progress,
) -> Published:
    """Write `count` images of `seed` into `folder`; the same version, seed and category give the same bytes.

    Raises:
        InputError: count or seed out of bounds, or a file of another content is in the way; nothing is overwritten.
        StorageError: the folder cannot be written.
    """
    check_request(count, seed)
    started = time.monotonic()
    wanted = generator.wanted(count, category)
    columns = ROWS if category else len(generator.categories)  # all categories in turn: a column each
    made: list[tuple[Path, Provenance]] = []
    first: list[npt.NDArray[np.uint8]] = []
    for batch in generator.batches(count, seed, category):
        for image in batch:
            index = len(made)
            asked = generator.categories[wanted[index]] if generator.conditional else None
            provenance = describe(version, seed, index, asked)
            path = folder / f"{version.slot}-v{version.version}-seed{seed}-{index:05d}.png"
            _write_once(path, encode_png(image, provenance))
            made.append((path, provenance))
            if index < ROWS * columns:
                first.append(image)
        progress.update(len(made), count, "images")
    sheet = folder / f"{version.slot}-v{version.version}-seed{seed}-sheet.png"
    write_sheet(grid(np.stack(first), columns, SCALE), sheet)
    record_images(settings, made, flow_run)
    return Published(
        folder=folder, images=[path for path, _ in made], sheet=sheet, seconds=round(time.monotonic() - started, 2)
    )


def describe(version: VersionInfo, seed: int, index: int, category: str | None) -> Provenance:
    """Where image `index` of `seed` comes from, as it is embedded in the file."""
    return Provenance(
        slot=version.slot,
        version=version.version,
        family=version.tags["family"],
        run_id=version.run_id,
        prepared_key=version.tags["prepared_key"],
        data_md5=version.tags["data_md5"],
        validation_key=version.tags["validation_key"],
        git_commit=version.tags["git_commit"],
        onnx_sha256=version.tags["onnx_sha256"],
        seed=seed,
        index=index,
        category=category,
        software=f"packshot {installed_version('packshot')}",
    )


def check_request(count: int, seed: int) -> None:
    """Raise an InputError when the number of images or their seed is out of bounds."""
    if not 1 <= count <= MOST_IMAGES:
        raise InputError("count", count, f"1 to {MOST_IMAGES}")
    if not 0 <= seed < 2**31:
        raise InputError("seed", seed, f"0 to {2**31 - 1}")


def _write_once(path: Path, content: bytes) -> None:
    """Write a new file, or find the same bytes there."""
    try:
        there = path.exists() and path.read_bytes() != content
    except OSError as error:
        raise explain_os_error(error, path) from error
    if there:
        raise InputError(
            "out", str(path), f"a folder where no other image has this name (it has SHA-256 {digest_file(path)[:8]}...)"
        )
    write_atomically(path, content)
