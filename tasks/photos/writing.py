"""Edited photographs written: the format by the suffix, the profile kept, other metadata dropped except provenance."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo
from pydantic import BaseModel, ConfigDict, Field

from models.errors import InputError
from tasks.photos.metadata import SOURCE_TYPE_RECORD, XMP_CHUNK, build_xmp
from tasks.photos.picture import Picture, Pixels
from tasks.workspace.storage import write_atomically

# Runs alone suit photographs whose neighbours were subtracted: as small as zlib's level 6, in a quarter of the time.
PNG_STRATEGY = zlib.Z_RLE
PREDICTOR = 317  # differences between neighbours pack better (TIFF 6.0, section 14)
XMP_TAG = 700  # TIFF's, of Adobe's XMP specification, part 3
FULL_COLOUR_QUALITY = 90  # from here on JPEG keeps the colours of every pixel
MOST_XMP = 65_000  # bytes; JPEG has 65,502 for a packet (Adobe XMP specification, part 3, 1.1.3)

Records = Mapping[str, str]


class WriteOptions(BaseModel):
    """How a picture is encoded; equal options make equal bytes of equal pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quality: int = Field(default=92, ge=1, le=100, description="of JPEG, and of WebP that is not lossless")
    lossless: bool = Field(default=False, description="WebP keeps every pixel; PNG and TIFF always do, JPEG never")
    keep_metadata: bool = Field(
        default=False, description="keep camera, exposure (not in TIFF), time and author; never the place"
    )


class Encoded(NamedTuple):
    """A file's bytes, and what was lost on the way."""

    content: bytes
    notes: tuple[str, ...]


def write_picture(
    picture: Picture,
    path: Path,
    options: WriteOptions | None = None,
    records: Records | None = None,
    exif: bytes = b"",
) -> Encoded:
    """Write `picture` at `path`, whole or not at all; what it is given is that of `encode_picture`.

    Raises:
        InputError: the suffix is not one that is written, or the format cannot hold the picture or the records.
        StorageError: the file cannot be written; what was there before still is.
    """
    encoded = encode_picture(picture, path.suffix, options, records, exif)
    write_atomically(path, encoded.content)
    return encoded


def encode_picture(
    picture: Picture,
    suffix: str,
    options: WriteOptions | None = None,
    records: Records | None = None,
    exif: bytes = b"",
) -> Encoded:
    """The bytes of a file whose name ends in `suffix`, one of `SUFFIXES`.

    Of metadata it holds the profile, the `records` (text by name: text chunks of a PNG, in XMP elsewhere; the one
    called `SOURCE_TYPE_RECORD` is in XMP always, and is the picture's own where it is absent) and, where
    `keep_metadata` is set, `exif` as `tasks.photos.reading` cleaned it.

    Raises:
        InputError: the suffix is not one that is written, or the format cannot hold the picture or the records.
    """
    options = options or WriteOptions()
    form = find_format(suffix)
    if max(picture.width, picture.height) > form.most:
        size = f"{picture.width}x{picture.height}"
        raise InputError(
            "output", f"{size} pixels as {suffix}", f"sides up to {form.most} there; .tif and .png hold it"
        )
    told = {SOURCE_TYPE_RECORD: picture.source_type} if picture.source_type else {}
    told |= records or {}
    image, notes = _to_image(picture, form.has_alpha)
    kept = exif if options.keep_metadata else b""
    profile = {"icc_profile": picture.profile} if picture.profile else {}
    stream = BytesIO()
    image.save(stream, form.name, **profile, **form.settings(options, told, kept))
    return Encoded(stream.getvalue(), notes)


def find_format(suffix: str) -> Format:
    """The format written for `suffix`, such as ".jpg".

    Raises:
        InputError: none is; the message lists those that are.
    """
    if suffix.lower() not in SUFFIXES:
        raise InputError("output", suffix or "a name without a suffix", SUFFIXES)
    return SUFFIXES[suffix.lower()]


def refuse_original(source: Path, target: Path) -> None:
    """Refuse to write where the originals are, whatever links lead there.

    Args:
        source: the photograph or the folder of photographs that is edited.
        target: the file or folder to be written; it need not exist.

    Raises:
        InputError: `target` is the source, another name of it, the folder that it lies in, or lies inside its folder.
    """
    here, there = source.resolve(), target.resolve()
    same = here == there or (target.exists() and source.exists() and target.samefile(source))
    if same or (source.is_file() and there == here.parent):
        raise InputError("output", str(target), f"another place than that of the originals, {source}: none is replaced")
    if source.is_dir() and there.is_relative_to(here):
        raise InputError("output", str(target), f"a folder outside of {source}, or the next run would edit its results")


def _to_image(picture: Picture, keeps_alpha: bool) -> tuple[Image.Image, tuple[str, ...]]:
    if picture.alpha is None:
        return Image.fromarray(picture.pixels), ()
    if keeps_alpha:
        return Image.fromarray(np.dstack([picture.pixels, picture.alpha])), ()
    return Image.fromarray(flatten(picture)), ("transparent parts became white: JPEG has no transparency",)


def flatten(picture: Picture) -> Pixels:
    """The pixels of a picture laid on white, uint8 (H, W, 3)."""
    if picture.alpha is None:
        return picture.pixels
    share = picture.alpha[..., None].astype(np.uint16)
    laid = picture.pixels * share + 255 * (255 - share)
    return ((laid + 127) // 255).astype(np.uint8)


def _png(options: WriteOptions, records: Records, exif: bytes) -> dict[str, Any]:
    chunks = PngInfo()
    for name, text in sorted(records.items()):
        if name != SOURCE_TYPE_RECORD:
            chunks.add_itxt(name, text)
    if SOURCE_TYPE_RECORD in records:
        chunks.add_itxt(XMP_CHUNK, build_xmp({SOURCE_TYPE_RECORD: records[SOURCE_TYPE_RECORD]}))
    return {"pnginfo": chunks, "compress_type": PNG_STRATEGY, **_exif(exif)}


def _jpeg(options: WriteOptions, records: Records, exif: bytes) -> dict[str, Any]:
    sampling = "4:4:4" if options.quality >= FULL_COLOUR_QUALITY else "4:2:0"
    return {"quality": options.quality, "subsampling": sampling, **_xmp(records), **_exif(exif)}


def _webp(options: WriteOptions, records: Records, exif: bytes) -> dict[str, Any]:
    # "exact" keeps the colours under what is transparent; in lossless files nothing at all may change.
    lossless = {"lossless": options.lossless, "exact": options.lossless}
    return {"quality": options.quality, **lossless, **_xmp(records), **_exif(exif)}


def _tiff(options: WriteOptions, records: Records, exif: bytes) -> dict[str, Any]:
    directory = Image.Exif()
    if exif:
        directory.load(exif)
        directory.pop(ExifTags.IFD.Exif, None)  # libtiff cannot pack pixels and hold the exposure's own directory
    directory[PREDICTOR] = 2
    if records:
        directory[XMP_TAG] = build_xmp(records).encode()
    return {"compression": "tiff_adobe_deflate", "tiffinfo": directory}


def _exif(exif: bytes) -> dict[str, Any]:
    return {"exif": exif} if exif else {}


def _xmp(records: Records) -> dict[str, Any]:
    packet = build_xmp(records).encode() if records else b""
    if len(packet) > MOST_XMP:
        raise InputError("records", f"{len(packet)} bytes", f"at most {MOST_XMP} in JPEG and WebP; .png holds more")
    return {"xmp": packet} if packet else {}


class Format(NamedTuple):
    """A format that is written: Pillow's name, the longest side that it holds, and how it is set."""

    name: str
    most: int
    has_alpha: bool
    settings: Callable[[WriteOptions, Records, bytes], dict[str, Any]]


PNG = Format("PNG", 2**31 - 1, True, _png)
JPEG = Format("JPEG", 65_500, False, _jpeg)
WEBP = Format("WEBP", 16_383, True, _webp)
TIFF = Format("TIFF", 2**31 - 1, True, _tiff)
SUFFIXES = {".png": PNG, ".jpg": JPEG, ".jpeg": JPEG, ".webp": WEBP, ".tif": TIFF, ".tiff": TIFF}
"""What is written, by the suffix of its name, in any case."""
