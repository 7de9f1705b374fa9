"""A catalogue turned into arrays to train on: square images of one size, in splits that share no product."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from models.errors import CatalogueError, InputError
from tasks.catalogue.table import Catalogue
from tasks.dataset.prepared import INDEX, META, SPLITS, Meta, PreparedSet, Split, images_path, labels_path
from tasks.dataset.splits import LEAK, assign_splits
from tasks.dataset.squares import Shape, square_maker
from tasks.photos.decoding import MAX_THREADS, quiet_pillow
from tasks.workspace.code import digest_code, digest_json
from tasks.workspace.progress import NullProgress, Progress
from tasks.workspace.storage import locked, storage_errors, write_atomically

FEWEST, FEW = 20, 200  # images a category: below the first it is refused, below the second warned about
BATCH = 256
LOCK_SECONDS = 900.0
NAME = "^[a-z0-9-]+$"


class PrepareConfig(BaseModel):
    """How images are brought to one size and divided into splits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(default=32, ge=8, le=256, description="side of the square images, in pixels")
    background: int = Field(default=255, ge=0, le=255, description="grey value around images that are not square")
    fit: Literal["pad", "crop"] = Field(
        default="pad", description="images that are not square: the whole on background, or their middle alone"
    )
    channels: Literal[1, 3] | None = Field(default=None, description="1 grey, 3 RGB; unset: 1 if all images are grey")
    validation_share: float = Field(default=0.1, ge=0.01, le=0.4, description="share of train set aside, if not given")
    test_share: float = Field(default=0.1, ge=0.01, le=0.4, description="share set aside for the test, if not given")
    categories: tuple[str, ...] | None = Field(default=None, min_length=2, description="those that are shown; all")
    of: str | None = Field(default=None, pattern=NAME, description="the catalogue that this one is a view of")
    name: str | None = Field(default=None, pattern=NAME, description="the view's own, also of its slot and its ruler")

    @field_validator("name")
    @classmethod
    def _needs_of(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and info.data.get("of") is None:
            raise ValueError("none, unless `of` says which catalogue this is a view of")
        return name


def prepare_catalogue(
    catalogue: Catalogue,
    version_md5: str,
    config: PrepareConfig,
    excluded: Collection[str],
    home: Path,
    progress: Progress | None = None,
) -> PreparedSet:
    """Write the prepared set of `catalogue`, without the skus `excluded`, or open it if an equal one is there.

    It lies in `HOME/prepared/KEY/`, and its bytes depend on the inputs alone. Images no larger than the wanted size
    are centred; larger ones are reduced with antialiasing. Both keep their aspect ratio on a plain background, or are
    cropped to their middle square. A view is a set of its own, under the name that `config` gives it.

    Raises:
        InputError: `config` asks for a category that the catalogue does not have.
        CatalogueError: a category has fewer than 20 images, an image cannot be decoded, or a split would be empty.
        StorageError: the disk is full, or another process holds the set's lock for too long.
    """
    key = digest_json(
        {
            "data": [catalogue.name, version_md5],
            "config": config.model_dump(),
            "excluded": sorted(excluded),
            "code": digest_code(__name__),
        }
    )
    folder = prepared_folder(home, key)
    with locked(folder.with_name(f"{key}.lock"), LOCK_SECONDS, f"preparing {catalogue.name}"):
        if not (folder / META).exists():
            _write(catalogue, version_md5, config, excluded, folder, progress or NullProgress())
    return PreparedSet.open(folder)


def prepared_folder(home: Path, key: str) -> Path:
    """Where the prepared set with this key is, or would be."""
    return home / "prepared" / key


def show_categories(table: pd.DataFrame, categories: tuple[str, ...] | None) -> pd.DataFrame:
    """The rows of these categories, or of all categories when None.

    Raises:
        InputError: a category is not in the table; the message lists the ones that are.
    """
    if categories is None:
        return table
    there = sorted(set(table["category"]))
    unknown = next((name for name in categories if name not in there), None)
    if unknown is not None:
        raise InputError("prepare.categories", unknown, there)
    return table[table["category"].isin(categories)]


def _write(
    catalogue: Catalogue,
    version_md5: str,
    config: PrepareConfig,
    excluded: Collection[str],
    folder: Path,
    progress: Progress,
) -> None:
    """Write all files into a folder beside `folder` and rename it at the end."""
    shown = show_categories(catalogue.table, config.categories)
    kept = shown[~shown["sku"].isin(list(excluded))]
    warnings = check_categories(catalogue.name, kept)
    kept = kept.assign(split=assign_splits(kept, config.validation_share, config.test_share))
    rows = {split: kept.index[kept["split"] == split].to_numpy(np.intp) for split in SPLITS}
    _require_images(catalogue.name, rows)
    categories = sorted(set(kept["category"]))
    channels = config.channels or count_channels(catalogue, kept)
    shape = (config.size, config.size, channels)
    part = folder.with_name(f"{folder.name}.part")
    with storage_errors(folder):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            digests = _write_splits(catalogue, rows, categories, shape, config, part, progress)
            _write_index(catalogue, rows, part)
            meta = Meta(
                key=folder.name,
                catalogue=config.name or catalogue.name,
                source=catalogue.name,
                data_md5=version_md5,
                config=config.model_dump(),
                categories=categories,
                shape=shape,
                counts={split: len(rows[split]) for split in SPLITS},
                digests=digests,
                excluded=len(shown) - len(kept),
                dropped=int((kept["split"] == LEAK).sum()),
                warnings=warnings,
                rights=count_rights(kept[kept["split"] == "train"]),
            )
            write_atomically(part / META, meta.model_dump_json(indent=1).encode())
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def check_categories(name: str, table: pd.DataFrame) -> list[str]:
    """Warnings about categories with few images.

    Raises:
        CatalogueError: a category has too few, or an image cannot be decoded.
    """
    broken = table[table["problem"] != ""]
    if len(broken):
        first = f"{broken['file'].iloc[0]}: {broken['problem'].iloc[0]}"
        raise CatalogueError(f"catalogue {name}: {len(broken)} images cannot be decoded, first {first}; set them aside")
    counts = table["category"].value_counts().sort_index()
    if counts.empty or counts.min() < FEWEST:
        few = ", ".join(f"{category} has {count}" for category, count in counts[counts < FEWEST].items())
        raise CatalogueError(f"catalogue {name}: a category needs at least {FEWEST} images: {few or 'there are none'}")
    return [
        f"category {category} has {count} images; below {FEW} expect poor results"
        for category, count in counts[counts < FEW].items()
    ]


def count_rights(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """How many rows have each licence and each consent, the most frequent first; an empty cell is "not stated"."""
    counts = {column: table[column].replace("", "not stated").value_counts() for column in ("licence", "consent")}
    return {column: {str(name): int(count) for name, count in found.items()} for column, found in counts.items()}


def count_channels(catalogue: Catalogue, table: pd.DataFrame) -> Literal[1, 3]:
    """1 when every image decodes to grey, else 3."""
    if catalogue.pixels is not None:
        return 1 if catalogue.pixels.ndim == 3 else 3
    if not table["mode"].isin(["1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"]).all():
        return 3
    # A grey mode can still carry a transparent colour; what decoding gives is what counts.
    return 1 if all(catalogue.image(row).mode == "L" for row in table.index) else 3


def _require_images(name: str, rows: dict[Split, npt.NDArray[np.intp]]) -> None:
    empty = [split for split in SPLITS if not len(rows[split])]
    if empty:
        raise CatalogueError(f"catalogue {name}: no image is left for {', '.join(empty)}; correct the column `split`")


def _write_splits(
    catalogue: Catalogue,
    rows: dict[Split, npt.NDArray[np.intp]],
    categories: list[str],
    shape: Shape,
    config: PrepareConfig,
    folder: Path,
    progress: Progress,
) -> dict[Split, str]:
    """Write images and labels of each split; returns the splits' SHA-256."""
    labels = catalogue.table["category"].map({name: number for number, name in enumerate(categories)})
    total, done = sum(len(members) for members in rows.values()), 0
    digests: dict[Split, str] = {}
    with quiet_pillow(), ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, MAX_THREADS)) as pool:
        make = square_maker(catalogue, shape, config.background, config.fit, pool)
        for split in SPLITS:
            members = rows[split]
            digest = hashlib.sha256()
            with images_path(folder, split).open("wb") as stream:
                np.lib.format.write_array_header_1_0(stream, describe_array((len(members), *shape)))
                for batch in _batches(members):
                    content = make(batch).tobytes()
                    # Written as a stream and not through a memory map: there a full disk ends the process (SIGBUS).
                    stream.write(content)
                    digest.update(content)
                    done += len(batch)
                    progress.update(done, total, f"{split} images prepared")
            values = labels.iloc[members].to_numpy(np.int64)
            np.save(labels_path(folder, split), values)
            digest.update(values.tobytes())
            digests[split] = digest.hexdigest()
    return digests


def describe_array(shape: tuple[int, ...]) -> dict[str, object]:
    """The header of a .npy file of uint8 values."""
    return {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}


def _batches(rows: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _write_index(catalogue: Catalogue, rows: dict[Split, npt.NDArray[np.intp]], folder: Path) -> None:
    """Write `index.csv`: where each array row comes from."""
    parts = [
        catalogue.table.iloc[members][["sku", "file", "category"]].assign(split=split, row=range(len(members)))
        for split, members in rows.items()
    ]
    pd.concat(parts).to_csv(folder / INDEX, index=False, lineterminator="\n")
