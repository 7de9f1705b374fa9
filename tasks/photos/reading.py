"""Photographs of any mode, read for editing as upright 8-bit RGB in sRGB, with notes on what was converted."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from models.arrays import Pixels
from models.errors import CatalogueError
from tasks.photos.decoding import (
    SIXTEEN_BIT_MODES,
    STILL_FORMATS,
    check_still,
    opened_photo,
    quiet_pillow,
    scale_sixteen,
)
from tasks.photos.formats import BY_NAME, BY_SUFFIX
from tasks.photos.icc import check_rgb, describe, to_srgb
from tasks.photos.metadata import Metadata, read_metadata
from tasks.photos.photo_file import PhotoFile, load_photo
from tasks.photos.picture import Picture

Icc = Literal["srgb", "keep"]

STRIP = 256  # rows
TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transposition that turns each EXIF orientation upright (EXIF 2.32, tag 0x0112)."""


class Source(BaseModel):
    """Facts about a photograph's file: `mode` as stored (Pillow's name), `width` and `height` as displayed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    mode: str
    width: int
    height: int
    bits: int
    bytes: int
    sha256: str
    has_icc: bool
    has_alpha: bool
    orientation: int
    has_location: bool
    source_type: str


class Opened(NamedTuple):
    """A picture to edit, the facts about its file, and the EXIF that `keep_metadata` may write."""

    picture: Picture
    facts: Source
    exif: bytes


def read_picture(source: Path | bytes, icc: Icc = "srgb") -> Opened:
    """The photograph in a file, or in a file's bytes; `icc` says whether its colours become sRGB or keep their profile.

    What was converted or left out is in the picture's notes. Not thread-safe; see `decode_picture`.

    Raises:
        CatalogueError: it cannot be read, is animated, too large, damaged or empty; one line says why.
    """
    with quiet_pillow():
        return decode_picture(load_photo(source), icc)


def decode_picture(photo: PhotoFile, icc: Icc = "srgb") -> Opened:
    """`read_picture` for several threads, which enter `tasks.photos.decoding.quiet_pillow` once around them all.

    Raises:
        CatalogueError: as in `read_picture`.
    """
    try:
        return _decode(photo, icc)
    except CatalogueError as error:
        raise CatalogueError(f"{photo}: {error}") from error


def _decode(photo: PhotoFile, icc: Icc) -> Opened:
    with opened_photo(photo.content) as image:
        check_still(image)
        # After loading, Pillow has forgotten how samples are stored, and has turned TIFFs upright.
        mode, bits = image.mode, _bits(image)
        metadata = read_metadata(image)
        image.load()
        picture = _to_picture(image, metadata, icc)
    form = "JPEG" if image.format in STILL_FORMATS else image.format or ""
    notes = [*_name_notes(form, photo.suffix), *_storage_notes(image, mode, bits), *metadata.notes, *picture.notes]
    facts = Source(
        format=form,
        mode=mode,
        width=picture.width,
        height=picture.height,
        bits=bits,
        bytes=len(photo.content),
        sha256=photo.sha256,
        has_icc="icc_profile" in image.info,
        has_alpha=picture.alpha is not None,
        orientation=metadata.orientation,
        has_location=metadata.has_location,
        source_type=metadata.source_type,
    )
    noted = Picture(picture.pixels, picture.alpha, picture.profile, notes=tuple(notes))
    return Opened(noted, facts, metadata.exif)


def _bits(image: Image.Image) -> int:
    """Bits per channel as stored: Pillow has 8 in most modes, and a decoder's raw mode says what they came from."""
    tiles = getattr(image, "tile", [])
    return 16 if image.mode in SIXTEEN_BIT_MODES or any(";16" in str(tile) for tile in tiles) else 8


def _name_notes(form: str, suffix: str) -> list[str]:
    if not suffix or BY_SUFFIX.get(suffix) is BY_NAME[form]:
        return []
    return [f"the name ends in {suffix} but the file holds {form}: read as {form}"]


def _storage_notes(image: Image.Image, mode: str, bits: int) -> list[str]:
    notes = []
    if image.format in STILL_FORMATS:
        notes.append("a second picture behind the photograph (depth or gain map) was left out")
    if bits == 16:
        notes.append("16 bits a channel were reduced to 8")
    if mode in ("P", "PA"):
        notes.append("colours of a palette were read as RGB")
    elif mode in ("1", "L", "LA", "La", *SIXTEEN_BIT_MODES):
        notes.append("grey pixels were read as RGB")
    return notes


def _to_picture(image: Image.Image, metadata: Metadata, icc: Icc) -> Picture:
    method = None if image.format == "TIFF" else TRANSPOSED.get(metadata.orientation)
    upright = image.transpose(method) if method is not None else image
    alpha, notes = None, list[str]()
    if image.has_transparency_data:
        upright = upright.convert("RGBA")
        alpha = _to_array(upright.getchannel("A"))
        if alpha.min() == 255:
            alpha = None
            notes.append("its alpha channel is opaque everywhere and was left out")
    colours, profile, said = _to_rgb(upright, image.info.get("icc_profile"), icc)
    return Picture(_to_array(colours), alpha, profile, notes=(*notes, *said))


def _to_array(image: Image.Image) -> Pixels:
    """The pixels of mode "RGB" or "L", read-only; in strips, since Pillow copies what it hands over, twice."""
    shape = (image.height, image.width, 3) if image.mode == "RGB" else (image.height, image.width)
    pixels = np.empty(shape, np.uint8)
    for top in range(0, image.height, STRIP):
        bottom = min(top + STRIP, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    pixels.flags.writeable = False
    return pixels


def _to_rgb(image: Image.Image, profile: bytes | None, icc: Icc) -> tuple[Image.Image, bytes | None, list[str]]:
    """Mode "RGB", the profile that it is still in, and notes."""
    if image.mode in SIXTEEN_BIT_MODES:
        image = scale_sixteen(image)
    if image.mode == "F":
        raise CatalogueError("pixels are floating-point numbers, expected 8 or 16 bits")
    plain = image if image.mode == "CMYK" else _plainly(image)
    if not profile:
        said = ["CMYK without a profile was read as RGB by the plain formula"] if image.mode == "CMYK" else []
        return _plainly(plain), None, said
    grey = image.convert("L") if image.mode in ("1", "L") else None
    try:
        if icc == "keep" and plain.mode == "RGB" and grey is None:
            check_rgb(profile)
            return plain, profile, []
        converted = to_srgb(_fitting(grey, plain, profile), profile)
    except CatalogueError as error:
        return _plainly(plain), None, [f"{error}; the colours were taken for sRGB"]
    if converted is plain:
        return plain, None, []
    kept = ", which no RGB file can keep" if icc == "keep" else ""
    return converted, None, [f"colours were converted from the profile {describe(profile)}{kept} to sRGB"]


def _plainly(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")  # which would copy what is already RGB


def _fitting(grey: Image.Image | None, plain: Image.Image, profile: bytes) -> Image.Image:
    """The pixels that the profile is for: grey ones may carry a grey profile or one for RGB (ICC.1, 7.2.6)."""
    return grey if grey is not None and profile[16:20] == b"GRAY" else plain
