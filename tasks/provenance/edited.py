"""What an edited picture says of itself: where it comes from, what its original said, and what was done."""

from __future__ import annotations

import html
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from tasks.provenance.generated import Provenance
from tasks.provenance.grown import TextureRecord
from tasks.provenance.record import Link, OwnRecord
from tasks.provenance.sheet import SheetRecord
from tasks.provenance.source_type import COMPOSITE, GENERATED
from tasks.workspace.code import digest_json

LONGEST = 50_000
"""Bytes of an escaped record: JPEG's metadata holds little more."""


class UsedNetwork(BaseModel):
    """A registered version that an operation asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str
    version: int
    family: str


class StepRecord(BaseModel):
    """One operation that ran: its parameters, and the registered versions that it used.

    A file that a parameter names is recorded by its SHA-256, not by its path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: str
    parameters: dict[str, Any]
    may_alter_product: bool
    networks: tuple[UsedNetwork, ...] = ()


class EditRecord(OwnRecord):
    """The origin of one edited picture, as embedded in the file; equal records mean an equal edit.

    It has no time, flow run or path, so that the file's bytes are reproducible; the lineage
    index holds those.
    """

    chunk: ClassVar[str] = "packshot:edit"

    input_sha256: str
    steps: tuple[StepRecord, ...]
    """None where the picture was only written anew."""
    written: dict[str, Any]
    """How the result is encoded: format, quality and so on."""
    seed: int
    source_type: str
    may_alter_product: bool
    software: str
    ancestor: Provenance | TextureRecord | SheetRecord | EditRecord | None = None
    """What the input said of its own making."""

    @property
    def marked(self) -> str:
        return self.source_type

    @property
    def says(self) -> str:
        done = ", ".join(step.op for step in self.steps) or "written anew"
        return f"{done} of {self.input_sha256}" + (f", which was {self.ancestor.says}" if self.ancestor else "")

    @property
    def generated_by(self) -> str:
        if self.ancestor and self.ancestor.generated_by:
            return self.ancestor.generated_by
        return "an edit by a network" if self.source_type in (GENERATED, COMPOSITE) else ""

    def links(self, sha256: str) -> list[Link]:
        used = {(one.slot, one.version) for step in self.steps for one in step.networks}
        by = [Link(sha256, "version", f"{slot}@{version}", "edited by") for slot, version in sorted(used)]
        before = self.ancestor.links(self.input_sha256) if self.ancestor else []
        return [Link(sha256, "image", self.input_sha256, "edited from"), *by, *before]

    def embedded(self) -> dict[str, Any]:
        own = self.model_dump(exclude={"ancestor"})
        return own | ({"ancestor": self.ancestor.embedded()} if self.ancestor else {})

    def is_same_making(self, other: EditRecord) -> bool:
        """True when both are the same operations on the same input, whatever the versions of networks or software."""
        return self._making() == other._making()

    def _making(self) -> tuple[object, ...]:
        asked = [(step.op, step.parameters) for step in self.steps]
        return self.input_sha256, asked, self.written, self.seed


def fit(record: EditRecord) -> EditRecord:
    """The record as a file's metadata can hold it.

    Where it is too long, parameters such as polygons stand by their digest; where that is not enough, as after some
    eighty edits one after another, the eldest ancestors are left to the lineage index.
    """
    if not _is_long(record):
        return record
    shorter = _shorten(record)
    while _is_long(shorter) and shorter.ancestor:
        shorter = _forget_eldest(shorter)
    return shorter


def _is_long(record: EditRecord) -> bool:
    return len(html.escape(record.to_json()).encode()) > LONGEST


def _shorten(record: EditRecord) -> EditRecord:
    short = [step.model_copy(update={"parameters": {"digest": digest_json(step.parameters)}}) for step in record.steps]
    before = _shorten(record.ancestor) if isinstance(record.ancestor, EditRecord) else record.ancestor
    return record.model_copy(update={"steps": tuple(short), "ancestor": before})


def _forget_eldest(record: EditRecord) -> EditRecord:
    before = record.ancestor
    elder = _forget_eldest(before) if isinstance(before, EditRecord) and before.ancestor else None
    return record.model_copy(update={"ancestor": elder})
