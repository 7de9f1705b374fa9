"""A prepared set without a catalogue: drawn bars and discs, split and written as the step `prepare` writes them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from tasks.dataset.prepared import INDEX, META, SPLITS, Meta, PreparedSet, images_path, labels_path
from tests.trainings import CATEGORIES, draw_images

COUNTS = {"train": 64, "validation": 16, "test": 16}


def write_prepared(folder: Path, channels: int = 1, catalogue: str = "shapes") -> PreparedSet:
    """32x32 images of two categories in `folder`, opened."""
    folder.mkdir(parents=True)
    rows = []
    for number, split in enumerate(SPLITS):
        images, labels = draw_images(COUNTS[split], channels, seed=number)
        np.save(images_path(folder, split), images)
        np.save(labels_path(folder, split), labels)
        rows += [{"split": split, "sku": f"{split}-{row}"} for row in range(COUNTS[split])]
    with (folder / INDEX).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["split", "sku"])
        writer.writeheader()
        writer.writerows(rows)
    meta = Meta(
        key="p" * 32,
        catalogue=catalogue,
        source=catalogue,
        data_md5="d" * 32,
        config={"size": 32},
        categories=CATEGORIES,
        shape=(32, 32, channels),
        counts=COUNTS,
        digests={split: str(number) * 64 for number, split in enumerate(SPLITS)},
        excluded=0,
        dropped=0,
        warnings=[],
    )
    (folder / META).write_text(meta.model_dump_json())
    return PreparedSet.open(folder)
