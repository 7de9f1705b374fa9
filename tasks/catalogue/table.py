"""The one reader that turns any catalogue into one table, a row per image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from models.arrays import Indices
from models.errors import CatalogueError
from models.imaging.inspection.fingerprint import (
    HASH_SIDE,
    find_first,
    find_near_pairs,
    group_rows,
    hash_perceptually,
    shrink_stack,
)
from models.imaging.inspection.statistics import grey_stack, measure_pixels
from tasks.catalogue import cifar, idx
from tasks.catalogue.listing import Listing, list_photos
from tasks.photos.decoding import Photo, digest_pixels, measure_photos, read_photo
from tasks.workspace.progress import NullProgress, Progress

Kind = Literal["fashion-mnist", "cifar-10", "photos"]
FASHION_MNIST: Final = "fashion-mnist"
CIFAR10: Final = "cifar-10"
PHOTOS: Final = "photos"
COLUMNS = (
    *("sku", "file", "category", "split", "licence", "consent"),
    *("bytes", "format", "mode", "width", "height", "frames", "problem"),
    *("sha256", "phash", "mean", "std", "sharpness"),
    *("duplicate_of", "near_duplicate_of", "group"),
)
MEASURED = ("bytes", "format", "mode", "width", "height", "frames", "problem", "sha256", "mean", "std", "sharpness")
PROGRESS_STEP = 5000
Part = tuple[npt.NDArray[np.uint8], pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Catalogue:
    """A catalogue's table, and access to its images.

    `table` has a row per image, index 0..n-1, and the columns `COLUMNS`: `split` is "train", "validation", "test" or ""
    when not given; `problem` is "" when the image can be decoded, else one line, and then `sha256` and `phash` are ""
    and the statistics NaN; `mean` and `std` are of grey values 0..255; `duplicate_of` and `near_duplicate_of` hold the
    sku of the first image that this one repeats, or ""; rows of one product or of near duplicates share a `group`.
    `pixels` is aligned with the table: uint8 (N, 28, 28) for the kind "fashion-mnist", (N, 32, 32, 3) for "cifar-10",
    None for photos.
    """

    name: str
    folder: Path
    kind: Kind
    table: pd.DataFrame
    pixels: npt.NDArray[np.uint8] | None = None

    def image(self, row: int) -> Image.Image:
        """The decoded image of `row`: mode "L" or "RGB", upright, alpha flattened on white.

        Raises:
            CatalogueError: the file cannot be decoded (the row has a `problem`).
        """
        if self.pixels is not None:
            return Image.fromarray(self.pixels[row])
        return read_photo(self.folder / str(self.table["file"].iloc[row]))


def find_kind(folder: Path) -> Kind:
    """Fashion-MNIST when `folder` holds any of its idx files, CIFAR-10 when any of its batches, else photos."""
    if any((folder / file).exists() for file in idx.FILES):
        return FASHION_MNIST
    return CIFAR10 if any((folder / file).exists() for file in cifar.IMAGES) else PHOTOS


def read_catalogue(folder: Path, name: str, progress: Progress | None = None) -> Catalogue:
    """Read and measure every image in `folder`; a bad file becomes a row with a `problem`.

    Raises:
        CatalogueError: the folder, its `catalogue.csv`, or one of its idx or batch files cannot be used.
    """
    listener = progress or NullProgress()
    kind = find_kind(folder)
    if kind != PHOTOS:
        return _read_packed(folder, name, kind, listener)
    listings = list_photos(folder)
    photos = measure_photos([folder / listing.file for listing in listings], listener)
    small = np.stack([photo.small for photo in photos])
    return Catalogue(name, folder, PHOTOS, _relate(_tabulate(listings, photos), small))


def _tabulate(listings: list[Listing], photos: list[Photo]) -> pd.DataFrame:
    listed = pd.DataFrame([vars(listing) for listing in listings])
    measured = pd.DataFrame([{column: getattr(photo, column) for column in MEASURED} for photo in photos])
    return pd.concat([listed, measured], axis=1)


def _read_packed(folder: Path, name: str, kind: Kind, progress: Progress) -> Catalogue:
    """A catalogue whose images, all of one size, are packed into a few files."""
    wanted, read = (idx.FILES, _read_idx) if kind == FASHION_MNIST else (cifar.FILES, _read_cifar)
    missing = [file for file in wanted if not (folder / file).exists()]
    if missing:
        raise CatalogueError(
            f"catalogue {name}: {folder} has no {', '.join(missing)}; `packshot data fetch {kind}` gets them"
        )
    parts = read(folder)
    pixels = np.concatenate([images for images, _ in parts])
    mode = "L" if pixels.ndim == 3 else "RGB"
    size = (pixels.shape[2], pixels.shape[1])
    table = pd.concat([rows for _, rows in parts], ignore_index=True).assign(
        **{"consent": "", "mode": mode, "width": size[0], "height": size[1], "frames": 1, "problem": ""}
    )
    grey = grey_stack(pixels)
    table["mean"], table["std"], table["sharpness"] = measure_pixels(grey)
    table["sha256"] = [digest_pixels(mode, size, image.tobytes()) for image in pixels]
    return Catalogue(name, folder, kind, _relate(table, _shrink_all(grey, progress)), pixels)


def _read_idx(folder: Path) -> list[Part]:
    parts = []
    for split, (images_file, labels_file) in idx.SPLITS.items():
        images, labels = idx.read_images(folder / images_file), idx.read_labels(folder / labels_file)
        if len(images) != len(labels):
            raise CatalogueError(
                f"{folder}: {images_file} has {len(images)} images, {labels_file} {len(labels)} labels"
            )
        rows = _list_packed(split, images_file, 0, idx.CATEGORIES, labels)
        parts.append((images, rows.assign(licence="MIT", bytes=idx.SIDE**2, format="IDX")))
    return parts


def _read_cifar(folder: Path) -> list[Part]:
    cifar.check_names(folder)
    parts = []
    for split, files in cifar.SPLITS.items():
        count = 0
        for file in files:
            images, labels = cifar.read_batch(folder / file)
            rows = _list_packed(split, file, count, cifar.CATEGORIES, labels)
            # Its authors state no licence.
            parts.append((images, rows.assign(licence="", bytes=cifar.RECORD, format="CIFAR")))
            count += len(images)
    return parts


def _list_packed(
    split: str, file: str, start: int, categories: tuple[str, ...], labels: npt.NDArray[np.uint8]
) -> pd.DataFrame:
    """Rows for the images of `file`, whose first one is number `start` of `split`."""
    return pd.DataFrame(
        {
            "sku": [f"{split}-{number:05d}" for number in range(start, start + len(labels))],
            "file": [f"{file}[{number}]" for number in range(len(labels))],
            "category": np.asarray(categories, dtype=object)[labels],
            "split": split,
        }
    )


def _shrink_all(pixels: npt.NDArray[np.uint8], progress: Progress) -> npt.NDArray[np.uint8]:
    small = np.empty((len(pixels), HASH_SIDE, HASH_SIDE), np.uint8)
    for start in range(0, len(pixels), PROGRESS_STEP):
        part = pixels[start : start + PROGRESS_STEP]
        small[start : start + len(part)] = shrink_stack(part)
        progress.update(start + len(part), len(pixels), "images read")
    return small


def _relate(table: pd.DataFrame, small: npt.NDArray[np.uint8]) -> pd.DataFrame:
    """Add the columns that compare images with each other, over the rows without a problem."""
    rows = np.flatnonzero(table["problem"] == "")
    hashes = np.zeros(len(table), np.uint64)
    hashes[rows] = hash_perceptually(small[rows])
    table["phash"] = [
        f"{value:016x}" if problem == "" else "" for value, problem in zip(hashes, table["problem"], strict=True)
    ]

    first = np.arange(len(table))
    first[rows] = rows[find_first(table["sha256"].iloc[rows].to_numpy())]
    unique = np.flatnonzero((first == np.arange(len(table))) & (table["problem"] == "").to_numpy())
    near = unique[find_near_pairs(hashes[unique], small[unique])]
    table["duplicate_of"] = _name_originals(table["sku"], _pair_with(first))
    table["near_duplicate_of"] = _name_originals(table["sku"], near)
    product = find_first(table["sku"].to_numpy())
    table["group"] = group_rows(len(table), np.concatenate([near, _pair_with(first), _pair_with(product)]))
    return table[list(COLUMNS)]


def _pair_with(first: npt.NDArray[np.int64]) -> Indices:
    """Pairs (first row, later row) for every row that is not its own first."""
    later = np.flatnonzero(first != np.arange(len(first)))
    return np.stack([first[later], later], axis=1)


def _name_originals(skus: pd.Series[str], pairs: Indices) -> list[str]:
    """For each row the sku of the lowest row that it is paired with as the later one, else ""."""
    original = np.full(len(skus), len(skus))
    np.minimum.at(original, pairs[:, 1], pairs[:, 0])
    return [skus.iloc[row] if row < len(skus) else "" for row in original]
