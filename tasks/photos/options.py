"""How a picture is encoded."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WriteOptions(BaseModel):
    """How a picture is encoded; equal options make equal bytes of equal pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quality: int = Field(default=92, ge=1, le=100, description="of JPEG, and of WebP that is not lossless")
    lossless: bool = Field(default=False, description="WebP keeps every pixel; PNG and TIFF always do, JPEG never")
    keep_metadata: bool = Field(
        default=False, description="keep camera, exposure (not in TIFF), time and author; never the place"
    )
