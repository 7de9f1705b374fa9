"""A training's state on disk: written whole or not at all, and read without executing anything in it."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from models.errors import TrainingError
from models.files import write_whole


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
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"the checkpoint {path} is damaged; remove it to train from the start") from error
    return state
