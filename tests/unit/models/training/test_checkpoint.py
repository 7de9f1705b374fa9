import errno
import os
import pickle

import pytest
import torch

from models.errors import TrainingError
from models.training.checkpoint import read_checkpoint, write_checkpoint

CPU = torch.device("cpu")


def full_disk(descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_is_written_is_read(tmp_path):
    state = {"step": 3, "weights": {"a": torch.arange(4.0)}, "history": [{"loss": 0.5}]}
    write_checkpoint(tmp_path / "checkpoint.pt", state)
    found = read_checkpoint(tmp_path / "checkpoint.pt", CPU)
    assert torch.equal(found["weights"].pop("a"), torch.arange(4.0))
    assert found == {"step": 3, "weights": {}, "history": [{"loss": 0.5}]}


def test_a_full_disk_leaves_the_old_checkpoint_whole(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, {"step": 1})
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(path, {"step": 2})
    assert read_checkpoint(path, CPU) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("keep", [0, 10, -20])
def test_a_damaged_checkpoint_is_named_with_the_way_out(tmp_path, keep):
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, {"weights": torch.randn(100)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is damaged; remove it"):
        read_checkpoint(path, CPU)


class Intruder:
    """An object whose loading would run code."""

    def __reduce__(self):
        return (os.system, ("false",))


def test_nothing_in_a_checkpoint_is_run(tmp_path):
    write_checkpoint(tmp_path / "checkpoint.pt", {"weights": Intruder()})
    with pytest.raises(TrainingError, match="damaged"):
        read_checkpoint(tmp_path / "checkpoint.pt", CPU)


class Planted:
    """An object whose loading would make a file."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return (open, (str(self._path), "w"))


def as_torch(path, poison):
    torch.save({"networks": poison}, path)


def as_old_torch(path, poison):
    torch.save({"networks": poison}, path, _use_new_zipfile_serialization=False)


def as_pickle(path, poison):
    path.write_bytes(pickle.dumps({"networks": poison}))


@pytest.mark.parametrize("write", [as_torch, as_old_torch, as_pickle])
def test_a_poisoned_checkpoint_of_any_form_is_one_line_and_runs_nothing(tmp_path, write):
    write(tmp_path / "checkpoint.pt", Planted(tmp_path / "ran"))
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is damaged; remove it"):
        read_checkpoint(tmp_path / "checkpoint.pt", CPU)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("state", [[], 3, torch.zeros(2), "text", None])
def test_a_state_that_is_no_checkpoint_is_one_line(tmp_path, state):
    torch.save(state, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="damaged"):
        read_checkpoint(tmp_path / "checkpoint.pt", CPU)
