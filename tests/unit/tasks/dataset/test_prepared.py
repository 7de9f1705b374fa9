"""A prepared set opened again, whole or damaged."""

import json

import numpy as np
import pytest

from models.errors import CatalogueError, InputError, StorageError
from tasks.catalogue.table import read_catalogue
from tasks.dataset.prepare import PrepareConfig, prepare_catalogue
from tasks.dataset.prepared import INDEX, SPLITS, PreparedSet
from tasks.workspace.settings import Settings
from tests.catalogues import write_photos


@pytest.fixture
def prepared(tmp_path):
    catalogue = read_catalogue(write_photos(tmp_path / "shop", count=20), "shop")
    return prepare_catalogue(catalogue, "0" * 32, PrepareConfig(), [], Settings(root=tmp_path).home)


def test_a_set_opened_again_is_the_one_that_was_made(prepared):
    again = PreparedSet.open(prepared.folder)
    assert again.meta == prepared.meta
    assert (again.catalogue, again.source, again.data_md5, again.count) == ("shop", "shop", "0" * 32, 40)
    for split in SPLITS:
        assert again.digest(split) == prepared.meta.digests[split]
        assert len(again.skus(split)) == len(again.labels(split)) == len(again.images(split))
        with pytest.raises(ValueError, match="read-only"):
            again.images(split)[0] = 0
    everything = [sku for split in SPLITS for sku in again.skus(split)]
    assert len(set(everything)) == 40


def test_a_set_with_missing_or_cut_files_is_refused(prepared):
    images = prepared.folder / "train-images.npy"
    images.write_bytes(images.read_bytes()[:-1000])
    with pytest.raises(CatalogueError, match=r"train-images\.npy: missing or cut short"):
        PreparedSet.open(prepared.folder)
    meta = prepared.folder / "meta.json"
    meta.write_text(json.dumps({"key": "x"}))
    with pytest.raises(CatalogueError, match="not a prepared set"):
        PreparedSet.open(prepared.folder)
    meta.unlink()
    with pytest.raises(CatalogueError, match="no prepared set"):
        PreparedSet.open(prepared.folder)


def test_a_set_without_its_index_is_refused(prepared):
    (prepared.folder / INDEX).unlink()
    with pytest.raises(CatalogueError, match=rf"{INDEX}: missing; delete .* and prepare again"):
        PreparedSet.open(prepared.folder)


def test_images_that_are_no_array_on_disk_are_refused(prepared):
    np.savez(prepared.folder / "archive.npz", images=np.zeros(3))
    (prepared.folder / "archive.npz").replace(prepared.folder / "test-images.npy")
    with pytest.raises(StorageError, match=r"test-images\.npy is damaged: several arrays, expected one; delete it"):
        prepared.images("test")


def test_an_unknown_split_lists_the_valid_ones(prepared):
    for read in (prepared.images, prepared.labels, prepared.skus, prepared.digest):
        with pytest.raises(InputError, match=r"^split: got 'holdout', allowed: one of train, validation, test"):
            read("holdout")
