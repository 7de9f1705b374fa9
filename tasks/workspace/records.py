"""What was already done: one record per step and key, so that a step with equal inputs is skipped and says why."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.workspace.code import digest_json
from tasks.workspace.places import locate, shorten
from tasks.workspace.storage import digest_file, locked, make_private, write_atomically

DIGEST = re.compile("[0-9a-f]{32,}")
LOCK_SECONDS = 24 * 3600.0  # long enough for a training; the lock of a process that died is free at once


class StepKey(BaseModel):
    """A step's name and the digests of all that its result depends on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    inputs: dict[str, str]

    @property
    def key(self) -> str:
        """32 hex digits over the name and the inputs."""
        return digest_json({"step": self.name, "inputs": self.inputs})

    @property
    def summary(self) -> str:
        """The inputs for people, each digest by its first 8 digits."""
        short = {name: value[:8] if DIGEST.fullmatch(value) else value for name, value in self.inputs.items()}
        return ", ".join(f"{name} {value}" for name, value in short.items())


class Record(BaseModel):
    """What a step left behind: `files` (path as seen from the home -> sha256) must still be there for it to hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: StepKey
    result: dict[str, Any]
    files: dict[str, str] = {}
    seconds: float
    finished: str

    def holds(self, home: Path) -> bool:
        """True when every file it names still has the recorded bytes."""
        files = ((locate(home, name), digest) for name, digest in self.files.items())
        return all(path.is_file() and digest_file(path) == digest for path, digest in files)


def read_record(path: Path) -> Record | None:
    """The record at `path`; None for a damaged one, or another version's: it costs one more run."""
    try:
        return Record.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


class StepRecords:
    """The records under `HOME/steps/`, a JSON file each, named after the step and its key."""

    def __init__(self, home: Path) -> None:
        self.home, self.folder = home, home / "steps"

    def path(self, step: StepKey) -> Path:
        return self.folder / f"{step.name}-{step.key}.json"

    def any(self, name: str) -> bool:
        """True when a step called `name` was ever done."""
        return next(self.folder.glob(f"{name}-*.json"), None) is not None

    def find(self, step: StepKey) -> Record | None:
        """The record of an equal step whose files are still there, or None."""
        record = read_record(self.path(step))
        return record if record and record.holds(self.home) else None

    def find_strays(self, root: Path) -> list[str]:
        """Files that records name and that lie neither in the home nor in the checkout `root`."""
        return sorted(
            {
                str(path)
                for record in filter(None, map(read_record, sorted(self.folder.glob("*.json"))))
                for path in (locate(self.home, name) for name in record.files)
                if not path.is_relative_to(self.home) and not path.is_relative_to(root)
            }
        )

    def save(self, step: StepKey, result: dict[str, Any], files: list[Path], seconds: float) -> Record:
        """Write the record once the step is done; `result` is what later steps and the summary read."""
        record = Record(
            step=step,
            result=result,
            files={shorten(self.home, path): digest_file(path) for path in files},
            seconds=round(seconds, 2),
            finished=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )
        write_atomically(self.path(step), record.model_dump_json(indent=1).encode())
        return record

    def run(self, step: StepKey, work: Callable[[], tuple[dict[str, Any], list[Path]]]) -> tuple[Record, bool]:
        """Run `work` unless an equal step was done; returns the record and whether it was skipped.

        `work` returns the step's result (JSON values) and the files it made. An equal step that another process is
        running is waited for: both would write the same files.

        Raises:
            StorageError: the other process took longer than a day.
        """
        make_private(self.home)
        with locked(self.path(step).with_suffix(".lock"), LOCK_SECONDS, f"doing an equal step {step.name}"):
            found = self.find(step)
            if found is not None:
                return found, True
            started = time.monotonic()
            result, files = work()
            return self.save(step, result, files, time.monotonic() - started), False
