"""What a grown texture says of itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tasks.provenance.record import Link, OwnRecord
from tasks.provenance.source_type import GENERATED


class TextureRecord(OwnRecord):
    """Where a grown texture comes from, embedded in its file; equal records mean equal bytes."""

    chunk: ClassVar[str] = "packshot:texture"

    example: str = Field(description="name of the example's file")
    example_sha256: str
    size: int = Field(description="side in pixels")
    seed: int
    software: str = Field(description="name and version of the software that made the image")

    @property
    def marked(self) -> str:
        return GENERATED

    @property
    def says(self) -> str:
        return f"grown from {self.example}, seed {self.seed}"

    def links(self, sha256: str) -> list[Link]:
        return [Link(sha256, "image", self.example_sha256, "grown from")]
