"""Splits: no group in two of them, given ones kept, and drawn ones that later images do not change."""

import numpy as np
import pandas as pd
import pytest

from tasks.dataset.splits import LEAK, assign_splits


def make_table(splits: list[str], groups: list[int]) -> pd.DataFrame:
    skus = [f"p{number}" for number in range(len(splits))]
    return pd.DataFrame({"sku": skus, "category": "hat", "split": splits, "group": groups})


def test_a_train_image_whose_group_is_in_test_is_left_out():
    table = make_table(["train", "test", "train", "train", "train"], [0, 0, 1, 2, 3])
    assigned = assign_splits(table, 0.1, 0.1)
    assert assigned.tolist()[:2] == [LEAK, "test"]
    assert sorted(assigned.tolist()[2:]) == ["train", "train", "validation"]


def test_given_splits_are_kept_and_rows_without_one_follow_their_group():
    table = make_table(["train", "validation", "test", "", ""], [0, 1, 2, 2, 3])
    assert assign_splits(table, 0.1, 0.1).tolist() == ["train", "validation", "test", "test", "train"]


def test_no_group_is_ever_in_two_splits_and_shares_are_near_what_was_asked():
    groups = np.random.default_rng(0).integers(0, 3000, 6000).tolist()
    table = make_table([""] * 6000, groups)
    assigned = assign_splits(table, 0.1, 0.2)
    assert assigned.groupby(table["group"]).nunique().max() == 1
    shares = assigned.value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.2, abs=0.03)
    assert shares["validation"] == pytest.approx(0.1, abs=0.03)


def test_adding_products_moves_none_to_another_split():
    table = make_table([""] * 400, list(range(400)))
    before = assign_splits(table.iloc[:300], 0.1, 0.1)
    assert assign_splits(table, 0.1, 0.1).iloc[:300].equals(before)
