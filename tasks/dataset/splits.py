"""Which split each image of a catalogue goes into: a product and its near duplicates never go into two."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd

PRECEDENCE = ("test", "validation", "train")  # an image is left out in favour of its group's images in an earlier split
LEAK = "leak"


def assign_splits(table: pd.DataFrame, validation_share: float, test_share: float) -> pd.Series[str]:
    """The split of each row of `table` (columns sku, category, split, group), or `LEAK` for a row to leave out.

    A split that the catalogue gives is kept; when a group is in several, the rows outside the first of test, validation
    and train are leaks. A row without a split follows its group. A split that no row gives is drawn from what is not
    given to another: group by group, by a hash of the group's smallest sku. So the draw needs no seed, and an
    image added later moves no other. Each category gets into each drawn split while it has groups for it.
    """
    rank = table["split"].map({name: number for number, name in enumerate(PRECEDENCE)}).fillna(len(PRECEDENCE))
    first = rank.groupby(table["group"]).transform("min")
    names = pd.Series([*PRECEDENCE, ""], dtype=object)
    decided = pd.Series(names.to_numpy()[first.astype(int).to_numpy()], index=table.index, dtype=object)
    leaks = (table["split"] != "") & (rank != first)

    given = set(decided)
    shares = {"test": test_share, "validation": validation_share}
    wanted = {name: share for name, share in shares.items() if name not in given}
    free = decided.isin(["", "train"]) & ~leaks
    if wanted:
        decided[free] = draw_splits(table[free], wanted)
    decided[decided == ""] = "train"
    decided[leaks] = LEAK
    return decided


def draw_splits(table: pd.DataFrame, shares: dict[str, float]) -> pd.Series[str]:
    """For each row "train" or one of the names of `shares`, drawn by group and within each category."""
    groups = table.groupby("group", sort=False).agg(sku=("sku", "min"), category=("category", "first"))
    groups["place"] = [place_of(sku) for sku in groups["sku"]]
    groups = groups.sort_values(["category", "place", "sku"])
    names = [divide(places.to_numpy(), shares) for _, places in groups.groupby("category", sort=False)["place"]]
    groups["split"] = np.concatenate(names)
    return table["group"].map(groups["split"])


def divide(places: npt.NDArray[np.float64], shares: dict[str, float]) -> npt.NDArray[np.object_]:
    """Names for one category's groups, whose `places` in 0..1 ascend: each share takes the groups placed below it.

    A share that no place falls into takes one group all the same, as long as one is left for training.
    """
    names = np.full(len(places), "train", dtype=object)
    taken, bound = 0, 0.0
    for name, share in shares.items():
        bound += share
        count = max(int((places < bound).sum()) - taken, 1 if share else 0)
        count = min(count, max(len(places) - 1 - taken, 0))
        names[taken : taken + count] = name
        taken += count
    return names


def place_of(sku: str) -> float:
    """A place in 0..1 that depends on the sku alone, evenly spread over skus."""
    return int.from_bytes(hashlib.sha256(sku.encode()).digest()[:8], "big") / 2**64
