"""A prepared set on disk: memory-mapped uint8 images and labels for each split, opened by its folder."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import CatalogueError, InputError
from tasks.dataset.arrays import read_array

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
META = "meta.json"
INDEX = "index.csv"


class Meta(BaseModel):
    """What `meta.json` holds.

    `catalogue` is the set's name: that of the catalogue, or of a view of it, while `source` is the folder of `data/`
    that its images come from. `shape` is (H, W, C); `counts` and `digests` (SHA-256 over images and labels) are by
    split; `dropped` counts the images left out because their product, or a near duplicate, is in a split that goes
    before theirs. `rights` counts the training images by licence and by consent, as `catalogue.csv` states them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    catalogue: str
    source: str
    data_md5: str
    config: dict[str, int | float | str | list[str] | None]
    categories: list[str]
    shape: tuple[int, int, int]
    counts: dict[Split, int]
    digests: dict[Split, str]
    excluded: int
    dropped: int
    warnings: list[str]
    rights: dict[str, dict[str, int]] = {}


@dataclass(frozen=True)
class PreparedSet:
    """Images of one catalogue version, prepared one way; made by `tasks.dataset.prepare.prepare`."""

    folder: Path
    meta: Meta

    @classmethod
    def open(cls, folder: Path) -> PreparedSet:
        """The prepared set in `folder`.

        Raises:
            CatalogueError: a file of it is missing, cut short, or not part of a prepared set.
        """
        path = folder / META
        if not path.is_file():
            raise CatalogueError(f"{folder}: no prepared set there ({META} is missing); run the step `prepare` again")
        try:
            meta = Meta.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise CatalogueError(f"{path}: not a prepared set's; delete {folder} and prepare again") from error
        prepared = cls(folder, meta)
        prepared._require_files()
        return prepared

    @property
    def key(self) -> str:
        """32 hex digits over data, parameters, exclusions and code."""
        return self.meta.key

    @property
    def catalogue(self) -> str:
        """The name of the catalogue, or of the view of one."""
        return self.meta.catalogue

    @property
    def source(self) -> str:
        """The folder of `data/` that the images come from."""
        return self.meta.source

    @property
    def data_md5(self) -> str:
        """DVC's md5 of the catalogue version."""
        return self.meta.data_md5

    @property
    def categories(self) -> list[str]:
        """The categories' names, sorted; a label is a position in this list."""
        return self.meta.categories

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of every image."""
        return self.meta.shape

    @property
    def count(self) -> int:
        """The number of images in all splits."""
        return sum(self.meta.counts.values())

    def images(self, split: str) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
        """uint8 (N, H, W, C), read from disk as it is used."""
        mapped = read_array(images_path(self.folder, require_split(split)), mmap_mode="r")
        if not isinstance(mapped, np.memmap):
            raise CatalogueError(f"{self.folder}: the images of {split} cannot be memory-mapped; prepare again")
        return mapped

    def labels(self, split: str) -> npt.NDArray[np.int64]:
        """int64 (N,): positions in `categories`, row-aligned with `images`."""
        labels: npt.NDArray[np.int64] = read_array(labels_path(self.folder, require_split(split)))
        return labels

    def skus(self, split: str) -> list[str]:
        """The sku of each image, row-aligned with `images`."""
        return self._skus[require_split(split)]

    def digest(self, split: str) -> str:
        """SHA-256 over the split's images and labels, 64 hex digits."""
        return self.meta.digests[require_split(split)]

    @cached_property
    def _skus(self) -> dict[Split, list[str]]:
        skus: dict[Split, list[str]] = {split: [] for split in SPLITS}
        with (self.folder / INDEX).open(encoding="utf-8", newline="") as stream:
            for entry in csv.DictReader(stream):
                skus[require_split(entry["split"])].append(entry["sku"])
        return skus

    def _require_files(self) -> None:
        size = int(np.prod(self.shape))
        for split in SPLITS:
            count = self.meta.counts[split]
            least = {images_path(self.folder, split): count * size, labels_path(self.folder, split): count * 8}
            for path, content in least.items():
                if not path.is_file() or path.stat().st_size <= content:
                    raise CatalogueError(f"{path}: missing or cut short; delete {self.folder} and prepare again")
        if not (self.folder / INDEX).is_file():
            raise CatalogueError(f"{self.folder / INDEX}: missing; delete {self.folder} and prepare again")


def require_split(name: str) -> Split:
    """`name` as a split.

    Raises:
        InputError: there is no such split.
    """
    for split in SPLITS:
        if split == name:
            return split
    raise InputError("split", name, SPLITS)


def images_path(folder: Path, split: Split) -> Path:
    """Where a prepared set keeps the images of `split`."""
    return folder / f"{split}-images.npy"


def labels_path(folder: Path, split: Split) -> Path:
    """Where a prepared set keeps the labels of `split`."""
    return folder / f"{split}-labels.npy"
