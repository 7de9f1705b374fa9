"""What a generated image says of itself: a JSON record and IPTC's digital source type, inside the PNG."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import InputError
from tasks.photos.metadata import XMP, XMP_CHUNK
from tasks.workspace.storage import write_atomically

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray
    from PIL import Image

CHUNK = "packshot:provenance"
NOT_EMBEDDED = {"created", "prefect_flow_run"}
"""What differs between two makings of one image: it stands in the index, so that the file's bytes are reproducible."""


class Provenance(BaseModel):
    """Where one generated image comes from.

    All but `created` and `prefect_flow_run` is embedded in the file; these two are known to the lineage index alone,
    so that the same version, seed and index give the same bytes. A record read from a file has them empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str
    version: int = Field(ge=1, description="version of the slot in MLflow's registry")
    family: str
    run_id: str = Field(description="MLflow run that trained the version")
    prepared_key: str
    data_md5: str = Field(description="DVC's md5 of the catalogue")
    validation_key: str
    git_commit: str = Field(description="of the training; empty when there was no commit yet")
    onnx_sha256: str
    seed: int
    index: int = Field(ge=0, description="of the image among those of the seed")
    category: str | None = Field(default=None, description="asked for, by a conditional family")
    software: str = Field(description="name and version of the software that made the image")
    created: str = Field(default="", description="UTC, ISO 8601")
    prefect_flow_run: str = ""


def write_png(image: NDArray[numpy.uint8], path: Path, provenance: Provenance) -> None:
    """Write `image` (uint8; (H, W), (H, W, 1) or (H, W, 3) in RGB) at `path`, with its provenance inside.

    Raises:
        StorageError: the file cannot be written; what was there before still is.
    """
    write_atomically(path, encode_png(image, provenance))


def encode_png(image: NDArray[numpy.uint8], provenance: Provenance) -> bytes:
    """The bytes of the PNG: equal for equal pixels and an equal embedded record."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    record = provenance.model_dump(exclude=NOT_EMBEDDED)
    chunks = PngInfo()
    chunks.add_itxt(CHUNK, json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    chunks.add_itxt(XMP_CHUNK, XMP)
    pixels = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", pnginfo=chunks, compress_level=6)
    return stream.getvalue()


def write_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a sheet of generated images, marked as made by a trained algorithm; its images carry their own records."""
    from PIL.PngImagePlugin import PngInfo

    chunks, stream = PngInfo(), BytesIO()
    chunks.add_itxt(XMP_CHUNK, XMP)
    sheet.save(stream, format="PNG", pnginfo=chunks)
    write_atomically(path, stream.getvalue())


def read_provenance(path: Path) -> Provenance:
    """The record embedded in the PNG at `path`, with `created` and `prefect_flow_run` empty.

    Raises:
        InputError: the file is not a PNG of ours, or its record was damaged.
    """
    found = find_provenance(path)
    if found is None:
        raise InputError("file", str(path), f"a PNG that holds a {CHUNK} record, as packshot generate writes it")
    return found


def find_provenance(path: Path) -> Provenance | None:
    """The record embedded in the file at `path`, or None when the file is no image or holds none.

    Raises:
        InputError: there is a record, but it was damaged.
    """
    text = _text_chunks(path).get(CHUNK)
    if text is None:
        return None
    try:
        return Provenance.model_validate_json(str(text))
    except ValidationError as error:
        raise InputError("provenance", str(path), f"a whole record, but: {error.errors()[0]['msg']}") from error


def _text_chunks(path: Path) -> dict[str, Any]:
    """The text chunks before the pixels, which need no decoding; none when the file is no PNG."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=["PNG"]) as image:
            return {str(name): text for name, text in image.info.items()}
    except (UnidentifiedImageError, SyntaxError, Image.DecompressionBombError):
        return {}
