"""What every record has that an image carries of its own making."""

from __future__ import annotations

import json
from abc import abstractmethod
from importlib.metadata import version as installed_version
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from tasks.photos.xmp import SOURCE_TYPE_RECORD


class Link(NamedTuple):
    """The image with the SHA-256 `child` was made from `parent`, which was its `role`: an edge of the lineage."""

    child: str
    kind: Literal["image", "version"]
    parent: str
    role: str


class OwnRecord(BaseModel):
    """What one image says of its own making, inside the file; equal records mean an equal making."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunk: ClassVar[str]
    """The record's name in the file."""

    @property
    @abstractmethod
    def marked(self) -> str:
        """The address of IPTC's digital source type, or "" where none is stated."""

    @property
    @abstractmethod
    def says(self) -> str:
        """The making in a few words."""

    @property
    def generated_by(self) -> str:
        """Which network's work is to be labelled, or ""."""
        return ""

    @abstractmethod
    def links(self, sha256: str) -> list[Link]:
        """What the image with the digest `sha256` was made from, and what that was made from, as far as it is known."""

    def embedded(self) -> dict[str, Any]:
        """What of the record stands in the file."""
        return self.model_dump()

    def to_json(self) -> str:
        """The record as it stands in the file."""
        return json.dumps(self.embedded(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def texts(self) -> dict[str, str]:
        """What `tasks.photos.writing` puts into the file: the record, and IPTC's term for every reader."""
        return {self.chunk: self.to_json(), **({SOURCE_TYPE_RECORD: self.marked} if self.marked else {})}


def software() -> str:
    """Name and version of what makes images."""
    return f"packshot {installed_version('packshot')}"
