"""Arrays from files that were replaced: numbers are read, anything else is one line, and no object is made."""

import pickle
import random

import numpy as np
import pytest

from models.errors import StorageError
from tasks.dataset.arrays import read_array, read_arrays


class Planted:
    """An object whose loading would make a file."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return (open, (str(self._path), "w"))


def test_numbers_are_read_as_they_were_written(tmp_path):
    values = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "a.npy", values)
    np.savez(tmp_path / "a.npz", one=values, two=values > 2)
    assert np.array_equal(read_array(tmp_path / "a.npy"), values)
    assert isinstance(read_array(tmp_path / "a.npy", mmap_mode="r"), np.memmap)
    one, two = read_arrays(tmp_path / "a.npz", "one", "two")
    assert np.array_equal(one, values)
    assert np.array_equal(two, values > 2)


@pytest.mark.parametrize("form", ["npy", "npz", "pickle"])
def test_a_poisoned_array_is_one_line_and_runs_nothing(tmp_path, form):
    path, poison = tmp_path / f"a.{form}", Planted(tmp_path / "ran")
    if form == "npy":
        np.save(path, np.array([poison], dtype=object), allow_pickle=True)
    elif form == "npz":
        np.savez(path, features=np.array([poison], dtype=object))
    else:
        path.write_bytes(pickle.dumps(poison))
    for read in (read_array, lambda one: read_array(one, mmap_mode="r"), lambda one: read_arrays(one, "features")):
        with pytest.raises(StorageError, match=rf"^{path} is damaged: .*; delete it and run the same command again$"):
            read(path)
    assert not (tmp_path / "ran").exists()


def test_text_missing_names_and_missing_files_are_one_line(tmp_path):
    np.savez(tmp_path / "a.npz", features=np.array(["text"]))
    for path, name in (("a.npz", "features"), ("a.npz", "other"), ("b.npz", "features")):
        with pytest.raises(StorageError, match="is damaged"):
            read_arrays(tmp_path / path, name)


@pytest.mark.parametrize("form", ["npy", "npz"])
def test_a_damaged_file_is_numbers_or_one_line(tmp_path, form):
    path, chance = tmp_path / f"a.{form}", random.Random(3)
    (np.save if form == "npy" else np.savez)(path, np.arange(12.0).reshape(3, 4))
    whole, refused = path.read_bytes(), 0
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(3):
            content[chance.randrange(min(len(content), 200))] = chance.randrange(256)
        path.write_bytes(content[: chance.randrange(len(content))] if chance.random() < 0.3 else content)
        try:
            read_array(path) if form == "npy" else read_arrays(path, "arr_0")
        except StorageError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused
