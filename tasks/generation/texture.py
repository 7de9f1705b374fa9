"""A seamless texture grown from a photograph, written as a PNG that carries its provenance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from models.errors import InputError
from tasks.photos.decoding import quiet_pillow, read_photo
from tasks.photos.photo_file import load_photo
from tasks.photos.writing import encode_png, write_image
from tasks.provenance.grown import TextureRecord
from tasks.provenance.record import software


class GrownTexture(BaseModel):
    """A texture that was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    sha256: str
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
    photo = load_photo(example)
    with quiet_pillow():
        pixels = np.asarray(read_photo(photo))
    record = TextureRecord(
        example=example.name,
        example_sha256=photo.sha256,
        size=size,
        seed=seed,
        software=software(),
    )
    texture = grow_texture(pixels if pixels.ndim == 3 else pixels[..., None], size, seed)
    encoded = encode_png(texture, record)
    write_image(out, encoded)
    return GrownTexture(path=out, sha256=encoded.sha256, record=record)
