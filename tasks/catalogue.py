"""The one reader that turns any catalogue into one table: a row an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from models.errors import CatalogueError
from tasks import idx
from tasks.fingerprint import HASH_SIDE, Pairs, find_first, find_near_pairs, group_rows, hash_perceptually, shrink_stack
from tasks.listing import Listing, list_photos
from tasks.photos import Photo, digest_pixels, measure_photos, read_photo
from tasks.pixels import measure_pixels
from tasks.progress import Progress, Silent

Kind = Literal["fashion-mnist", "photos"]
FASHION_MNIST: Final = "fashion-mnist"
PHOTOS: Final = "photos"
COLUMNS = (
    *("sku", "file", "category", "split", "licence", "consent"),
    *("bytes", "format", "mode", "width", "height", "frames", "problem"),
    *("sha256", "phash", "mean", "std", "sharpness"),
    *("duplicate_of", "near_duplicate_of", "group"),
)
MEASURED = ("bytes", "format", "mode", "width", "height", "frames", "problem", "sha256", "mean", "std", "sharpness")
PROGRESS_STEP = 5000


@dataclass(frozen=True, eq=False)
class Catalogue:
    """A catalogue's table and the way to its images.

    `table` has a row an image, index 0..n-1, and the columns `COLUMNS`: `split` is "train", "validation", "test" or ""
    when not given; `problem` is "" when the image can be decoded, else one line, and then `sha256` and `phash` are ""
    and the statistics NaN; `mean` and `std` are of grey values 0..255; `duplicate_of` and `near_duplicate_of` hold the
    sku of the first image that this one repeats, or ""; rows of one product or of near duplicates share a `group`.
    `pixels` is uint8 (N, 28, 28), aligned with the table, for the kind "fashion-mnist", else None.
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
    """Fashion-MNIST when `folder` holds any of its idx files, else photos."""
    return FASHION_MNIST if any((folder / file).exists() for file in idx.FILES) else PHOTOS


def read_catalogue(folder: Path, name: str, progress: Progress | None = None) -> Catalogue:
    """Read and measure every image in `folder`; a bad file becomes a row with a `problem`.

    Raises:
        CatalogueError: the folder, its `catalogue.csv` or one of its idx files cannot be used.
    """
    listener = progress or Silent()
    if find_kind(folder) == FASHION_MNIST:
        return _read_fashion_mnist(folder, name, listener)
    listings = list_photos(folder)
    photos = measure_photos([folder / listing.file for listing in listings], listener)
    small = np.stack([photo.small for photo in photos])
    return Catalogue(name, folder, PHOTOS, _relate(_tabulate(listings, photos), small))


def _tabulate(listings: list[Listing], photos: list[Photo]) -> pd.DataFrame:
    listed = pd.DataFrame([vars(listing) for listing in listings])
    measured = pd.DataFrame([{column: getattr(photo, column) for column in MEASURED} for photo in photos])
    return pd.concat([listed, measured], axis=1)


def _read_fashion_mnist(folder: Path, name: str, progress: Progress) -> Catalogue:
    missing = [file for file in idx.FILES if not (folder / file).exists()]
    if missing:
        raise CatalogueError(
            f"catalogue {name}: {folder} has no {', '.join(missing)}; run `packshot train` to fetch it"
        )
    parts = [_read_split(folder, split) for split in idx.SPLITS]
    pixels = np.concatenate([images for images, _ in parts])
    table = pd.concat([rows for _, rows in parts], ignore_index=True)
    table["mean"], table["std"], table["sharpness"] = measure_pixels(pixels)
    table["sha256"] = [digest_pixels("L", (idx.SIDE, idx.SIDE), image.tobytes()) for image in pixels]
    return Catalogue(name, folder, FASHION_MNIST, _relate(table, _shrink_all(pixels, progress)), pixels)


def _read_split(folder: Path, split: str) -> tuple[npt.NDArray[np.uint8], pd.DataFrame]:
    images_file, labels_file = idx.SPLITS[split]
    images, labels = idx.read_images(folder / images_file), idx.read_labels(folder / labels_file)
    if len(images) != len(labels):
        raise CatalogueError(f"{folder}: {images_file} has {len(images)} images, {labels_file} {len(labels)} labels")
    rows = pd.DataFrame({"sku": [f"{split}-{number:05d}" for number in range(len(images))]})
    rows["file"] = [f"{images_file}[{number}]" for number in range(len(images))]
    rows["category"] = np.asarray(idx.CATEGORIES, dtype=object)[labels]
    constants: dict[str, str | int] = {"split": split, "licence": "MIT", "consent": "", "bytes": idx.SIDE**2}
    constants |= {"format": "IDX", "mode": "L", "width": idx.SIDE, "height": idx.SIDE, "frames": 1, "problem": ""}
    for column, value in constants.items():
        rows[column] = value
    return images, rows


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


def _pair_with(first: npt.NDArray[np.int64]) -> Pairs:
    """Pairs (first row, later row) for every row that is not its own first."""
    later = np.flatnonzero(first != np.arange(len(first)))
    return np.stack([first[later], later], axis=1)


def _name_originals(skus: pd.Series[str], pairs: Pairs) -> list[str]:
    """For each row the sku of the lowest row that it is paired with as the later one, else ""."""
    original = np.full(len(skus), len(skus))
    np.minimum.at(original, pairs[:, 1], pairs[:, 0])
    return [skus.iloc[row] if row < len(skus) else "" for row in original]
