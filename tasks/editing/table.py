"""The result table of a batch: a CSV with one row per photograph, ordered by name."""

from __future__ import annotations

import csv
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from tasks.outlets.cells import to_cell
from tasks.workspace.places import open_unlinked
from tasks.workspace.storage import storage_errors

Status = Literal["edited", "broken", "refused", "failed"]
"""`broken`: cannot be read; `refused`: the operations or its name do not suit it; `failed`: a defect of ours."""
TABLE = "edits.csv"


class Row(BaseModel):
    """The result for one photograph: lengths in pixels, `product_delta_e` and `product_ssim` by `changes`.

    `input` is relative to the edited folder, `output` to the folder of results ("" when there is none).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str
    output: str = ""
    status: Status
    reason: str = ""
    format: str = ""
    mode: str = ""
    width: int | None = None
    height: int | None = None
    output_width: int | None = None
    output_height: int | None = None
    operations: str = ""
    versions: str = ""
    source_type: str = ""
    may_alter_product: bool | None = None
    product_delta_e: float | None = None
    product_ssim: float | None = None
    notes: str = ""
    seconds: float | None = None
    input_sha256: str = ""
    output_sha256: str = ""


class Table:
    """A CSV that is written row by row; a reader sees only whole rows at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path):
            self._stream: TextIOWrapper = open(  # noqa: SIM115
                path, "w", encoding="utf-8", newline="", opener=open_unlinked
            )
            self._writer = csv.DictWriter(self._stream, list(Row.model_fields))
            self._writer.writeheader()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with storage_errors(self.path):
            self._stream.close()

    def add(self, row: Row) -> None:
        """Write one row.

        Raises:
            StorageError: the disk is full.
        """
        with storage_errors(self.path):
            self._writer.writerow({name: _cell(value) for name, value in row.model_dump().items()})
            self._stream.flush()


def _cell(value: object) -> object:
    return "" if value is None else to_cell(value) if isinstance(value, str) else value
