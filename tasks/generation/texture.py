"""Grow a seamless texture from a photograph of one, into a PNG that says where it comes from."""

from __future__ import annotations

import json
from importlib.metadata import version as installed_version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.errors import InputError
from tasks.photos.decoding import quiet_pillow, read_photo
from tasks.photos.metadata import XMP, XMP_CHUNK
from tasks.workspace.storage import digest_file, explain_os_error, write_atomically

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = "packshot:texture"


class TextureRecord(BaseModel):
    """Where a grown texture comes from, embedded in its file; equal records mean equal bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    example: str = Field(description="name of the example's file")
    example_sha256: str
    size: int = Field(description="side in pixels")
    seed: int
    software: str = Field(description="name and version of the software that made the image")


class GrownTexture(BaseModel):
    """A texture that was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    record: TextureRecord


def make_texture(example: Path, size: int, seed: int, out: Path) -> GrownTexture:
    """Grow a texture of `size` x `size` pixels from the photograph `example`, and write it to the PNG `out`.

    Raises:
        InputError: a value is out of bounds, or another file is at `out`; nothing is overwritten.
        CatalogueError: the example cannot be read.
        StorageError: the file cannot be written.
    """
    from models.imaging.filling.texture import grow_texture

    if not example.is_file():
        raise InputError("example", str(example), "a photograph of a texture")
    if out.suffix.lower() != ".png":
        raise InputError("--out", str(out), "a file that ends in .png")
    with quiet_pillow():
        pixels = np.asarray(read_photo(example))
    record = TextureRecord(
        example=example.name,
        example_sha256=digest_file(example),
        size=size,
        seed=seed,
        software=f"packshot {installed_version('packshot')}",
    )
    texture = grow_texture(pixels if pixels.ndim == 3 else pixels[..., None], size, seed)
    write_new(out, encode_texture(texture, record))
    return GrownTexture(path=out, record=record)


def encode_texture(texture: NDArray[np.uint8], record: TextureRecord) -> bytes:
    """A PNG of `texture` (S, S, 1 or 3) with its record and IPTC's mark of an image made by an algorithm."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    chunks, stream = PngInfo(), BytesIO()
    chunks.add_itxt(CHUNK, json.dumps(record.model_dump(), sort_keys=True, ensure_ascii=False))
    chunks.add_itxt(XMP_CHUNK, XMP)
    picture = Image.fromarray(texture[..., 0] if texture.shape[2] == 1 else texture)
    picture.save(stream, format="PNG", pnginfo=chunks)
    return stream.getvalue()


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, or find the same bytes there.

    Raises:
        InputError: a file of another content is at `path`.
        StorageError: the file cannot be read or written.
    """
    try:
        taken = path.exists() and (not path.is_file() or path.read_bytes() != content)
    except OSError as error:
        raise explain_os_error(error, path) from error
    if taken:
        raise InputError("--out", str(path), "a name that no other file has; nothing is overwritten")
    write_atomically(path, content)
