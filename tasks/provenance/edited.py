"""What an edited picture says of itself: where it comes from and what was done, inside the file."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import InputError
from tasks.photos.metadata import SOURCE_TYPE_RECORD
from tasks.workspace.code import digest_json

TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ENHANCED = TERMS + "algorithmicallyEnhanced"
COMPOSITE = TERMS + "compositeWithTrainedAlgorithmicMedia"
GENERATED = TERMS + "trainedAlgorithmicMedia"
SYNTHETIC = tuple(TERMS + name for name in ("compositeSynthetic", "digitalCreation", "digitalArt", "algorithmicMedia"))
RANKS = (ENHANCED, *SYNTHETIC, COMPOSITE, GENERATED)
"""From the least to the most that a machine made of a picture; an edit never takes a picture down."""
PAINTERS = frozenset(("stylize", "colorize"))
"""Operations that show what a network made up, whichever way they are run."""
PAINTERS_BY_NETWORK = frozenset(("inpaint",))
LONGEST = 50_000
"""Bytes of a record, escaped: JPEG's metadata holds little more."""
CHUNK = "packshot:edit"
IN_XMP = re.compile(rf"<packshot:name>{CHUNK}</packshot:name>\s*<packshot:text>([^<]*)<")


class StepRecord(BaseModel):
    """One operation that ran: its parameters, and the registered versions that it used.

    A file that a parameter names stands here by its SHA-256, not by its path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: str
    parameters: dict[str, Any]
    may_alter_product: bool
    networks: tuple[UsedNetwork, ...] = ()


class EditRecord(BaseModel):
    """Where one edited picture comes from, as it is embedded in the file; equal records mean an equal making.

    Neither the time nor the flow run nor a path is in it, so that the file's bytes can be made again; the lineage
    index knows these.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_sha256: str
    steps: tuple[StepRecord, ...]
    written: dict[str, Any]
    """How the result is written: format, quality and the like."""
    seed: int
    source_type: str
    may_alter_product: bool
    software: str

    def is_same_making(self, other: EditRecord) -> bool:
        """True when both are the same operations on the same input, by whatever versions of networks or software."""
        return self._making() == other._making()

    def _making(self) -> tuple[object, ...]:
        asked = [(step.op, step.parameters) for step in self.steps]
        return self.input_sha256, asked, self.written, self.seed


def software() -> str:
    """Name and version of what edits."""
    return f"packshot {installed_version('packshot')}"


def judge_source_type(steps: Iterable[StepRecord], before: str) -> str:
    """IPTC's digital source type of a picture after `steps`; `before` is what the input's file said, or "".

    `compositeWithTrainedAlgorithmicMedia` where a network painted content, else `algorithmicallyEnhanced`; a picture
    that was generated stays `trainedAlgorithmicMedia`. Source: IPTC NewsCodes, "Digital Source Type".
    """
    stated = before.replace("https://", "http://")
    painted = any(step.op in PAINTERS or (step.op in PAINTERS_BY_NETWORK and step.networks) for step in steps)
    now = COMPOSITE if painted else ENHANCED
    return max(now, stated if stated in RANKS else now, key=RANKS.index)


def to_texts(record: EditRecord) -> dict[str, str]:
    """What `tasks.photos.writing` puts into the file: IPTC's term for every reader, and the record as JSON for ours."""
    return {SOURCE_TYPE_RECORD: record.source_type, CHUNK: _to_json(record)}


def fit(record: EditRecord) -> EditRecord:
    """The record as a file's metadata can hold it: parameters that are too long, such as polygons, by their digest."""
    if len(html.escape(_to_json(record)).encode()) <= LONGEST:
        return record
    short = [step.model_copy(update={"parameters": {"digest": digest_json(step.parameters)}}) for step in record.steps]
    return record.model_copy(update={"steps": tuple(short)})


def _to_json(record: EditRecord) -> str:
    return json.dumps(record.model_dump(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def find_record(path: Path) -> EditRecord | None:
    """The record in the picture at `path`; None when it is no picture or holds none.

    Raises:
        InputError: there is a record, but it was damaged.
    """
    text = _read_text(path)
    if text is None:
        return None
    try:
        return EditRecord.model_validate_json(text)
    except ValidationError as error:
        raise InputError("provenance", str(path), f"a whole record, but: {error.errors()[0]['msg']}") from error


def _read_text(path: Path) -> str | None:
    """The record's JSON in a picture's header, which needs no decoding: a PNG's text chunk, XMP in other formats."""
    from PIL import Image

    from tasks.photos.decoding import DECODE_ERRORS

    try:
        with Image.open(path) as image:
            if CHUNK in image.info:
                return str(image.info[CHUNK])
            packet = image.info.get("xmp", b"")
    except (*DECODE_ERRORS, Image.DecompressionBombError):
        return None
    found = IN_XMP.search(packet.decode(errors="replace") if isinstance(packet, bytes) else str(packet))
    return html.unescape(found.group(1)) if found else None


class UsedNetwork(BaseModel):
    """A registered version that an operation asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str
    version: int
    family: str
