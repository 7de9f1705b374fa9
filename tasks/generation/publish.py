"""Generated images, published as PNG files that carry their provenance and are recorded in the lineage index."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from models.errors import InputError
from models.exported.generator import ExportedGenerator
from tasks.generation.trail import GeneratedImage, record_images, record_sheet
from tasks.photos.contact_sheet import grid
from tasks.photos.writing import encode_png, write_image
from tasks.provenance.generated import Provenance
from tasks.provenance.record import software
from tasks.provenance.sheet import SheetRecord
from tasks.provenance.source_type import GENERATED
from tasks.registry.loading import VersionInfo
from tasks.workspace.progress import Progress
from tasks.workspace.settings import CheckoutFolders

ROWS = 8
SCALE = 2
MOST_IMAGES = 100_000


class Published(BaseModel):
    """The written files: `images` in the order of their index, and one contact `sheet` of the first ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    images: list[Path]
    sheet: Path
    seconds: float


def publish(
    settings: CheckoutFolders,
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
        InputError: count or seed out of bounds, or a different file is in the way; nothing is overwritten.
        StorageError: the folder cannot be written.
    """
    check_request(count, seed)
    started = time.monotonic()
    wanted = generator.wanted(count, category)
    columns = ROWS if category else len(generator.categories)  # all categories in turn: a column each
    made: list[GeneratedImage] = []
    first: list[npt.NDArray[np.uint8]] = []
    for batch in generator.batches(count, seed, category):
        for image in batch:
            index = len(made)
            asked = generator.categories[wanted[index]] if generator.conditional else None
            provenance = describe(version, seed, index, asked)
            path = folder / f"{version.slot}-v{version.version}-seed{seed}-{index:05d}.png"
            encoded = encode_png(image, provenance)
            write_image(path, encoded)
            made.append(GeneratedImage(path, encoded.sha256, provenance))
            if index < ROWS * columns:
                first.append(image)
        progress.update(len(made), count, "images")
    sheet = folder / f"{version.slot}-v{version.version}-seed{seed}-sheet.png"
    shown = encode_png(grid(np.stack(first), columns, SCALE), describe_sheet(version, seed, len(first)))
    write_image(sheet, shown, replace=True)
    record_images(settings, made, flow_run)
    record_sheet(settings, sheet, shown.sha256, f"{version.slot}@{version.version}", flow_run)
    images, seconds = [one.path for one in made], round(time.monotonic() - started, 2)
    return Published(folder=folder, images=images, sheet=sheet, seconds=seconds)


def describe(version: VersionInfo, seed: int, index: int, category: str | None) -> Provenance:
    """The provenance of image `index` of `seed`, as it is embedded in the file."""
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
        software=software(),
    )


def describe_sheet(version: VersionInfo, seed: int, count: int) -> SheetRecord:
    """What the sheet of a seed's first images says of itself."""
    made_by = f"{version.slot}@{version.version}"
    about = f"the first {count} images of seed {seed} by {made_by}"
    return SheetRecord(about=about, source_type=GENERATED, version=made_by)


def check_request(count: int, seed: int) -> None:
    """Raise an InputError when the number of images or their seed is out of bounds."""
    if not 1 <= count <= MOST_IMAGES:
        raise InputError("count", count, f"1 to {MOST_IMAGES}")
    if not 0 <= seed < 2**31:
        raise InputError("seed", seed, f"0 to {2**31 - 1}")
