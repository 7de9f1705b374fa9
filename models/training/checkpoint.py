"""A training's state on disk: written whole or not at all, and read without executing anything in it."""

from __future__ import annotations

import io
import pickle
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from models.errors import TrainingError
from models.files import write_whole

DAMAGE = (
    *(ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, EOFError),
    *(RuntimeError, MemoryError, struct.error, pickle.UnpicklingError),
)


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state`: tensors, numbers, words, lists and dicts, the only things that `read_checkpoint` accepts."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_whole(path, buffer.getbuffer())


def read_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """The state that was written to `path`, its tensors on `device`.

    Raises:
        TrainingError: the file was damaged after it was written.
    """
    with refusing_damage(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of pickles that torch did not write, which are refused
        state = torch.load(path, map_location=device, weights_only=True)
        if not isinstance(state, dict):
            raise TypeError(type(state))
        return state


@contextmanager
def refusing_damage(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a state is loaded, or taken over by networks and optimisers, into one line.

    Raises:
        TrainingError: it does not fit, or is damaged.
    """
    try:
        yield
    except DAMAGE as error:
        raise TrainingError(f"the checkpoint {path} is damaged; remove it to train from the start") from error
