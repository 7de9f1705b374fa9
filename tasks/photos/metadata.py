"""A photograph's metadata: read, and stripped of what must not be written again."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import NamedTuple

from PIL import ExifTags, Image

from models.errors import CatalogueError
from tasks.photos.decoding import DECODE_ERRORS, opened_photo
from tasks.photos.xmp import XMP_CHUNK

ORIENTATIONS = range(1, 9)
OURS = "packshot:"
"""What the names of our records begin with."""
IN_XMP = re.compile(r"<packshot:name>([^<]*)</packshot:name>\s*<packshot:text>([^<]*)<")
STATED_TYPE = re.compile(r"DigitalSourceType[^h]{0,80}(https?://[^\"'<\s]+)")
Tag = ExifTags.Base
KEPT = (
    *(Tag.ImageDescription, Tag.Make, Tag.Model, Tag.XResolution, Tag.YResolution, Tag.ResolutionUnit),
    *(Tag.Software, Tag.DateTime, Tag.Artist, Tag.Copyright),
)
# A maker note may hold the location in its own format; sizes are those of the file before the edit.
NOT_KEPT = (Tag.MakerNote, Tag.ExifImageWidth, Tag.ExifImageHeight, Tag.ExifInteroperabilityOffset, Tag.UserComment)


class Metadata(NamedTuple):
    """What is known from the file's metadata.

    `exif` is what `keep_metadata` writes: camera, exposure, time, author and copyright, never the location. `notes` say
    what could not be read.
    """

    orientation: int = 1
    has_location: bool = False
    source_type: str = ""
    exif: bytes = b""
    notes: tuple[str, ...] = ()


def read_metadata(image: Image.Image) -> Metadata:
    """The metadata of an opened `image`; damaged parts are left out and noted."""
    packet = image.info.get("xmp") or image.info.get(XMP_CHUNK) or ""
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else str(packet)
    stated = STATED_TYPE.search(text)
    found = Metadata(has_location="GPSLatitude" in text, source_type=stated.group(1) if stated else "")
    try:
        exif = image.getexif()
        if image.info.get("exif", b"").removeprefix(b"Exif\0\0") and not len(exif):
            raise ValueError("it holds nothing that can be read")
        has_location = bool(exif.get_ifd(ExifTags.IFD.GPSInfo)) or found.has_location
        orientation = exif.get(Tag.Orientation, 1)
        kept = _keep(exif)
    except DECODE_ERRORS as error:
        return found._replace(notes=(f"damaged EXIF was left out: {' '.join(str(error).split())}",))
    valid = orientation if orientation in ORIENTATIONS else 1
    return found._replace(orientation=valid, has_location=has_location, exif=kept)


def read_records(source: Path | bytes) -> dict[str, str]:
    """The records of ours in an image's header, by name, which needs no decoding; none where it is no image.

    They are text chunks of a PNG, and properties in the XMP of every other format.
    """
    try:
        with opened_photo(source) as image:
            found = {str(name): str(text) for name, text in image.info.items() if str(name).startswith(OURS)}
            packet = image.info.get("xmp", b"")
    except (CatalogueError, OSError):
        return {}
    text = packet.decode(errors="replace") if isinstance(packet, bytes) else str(packet)
    return {html.unescape(name): html.unescape(value) for name, value in IN_XMP.findall(text)} | found


def _keep(exif: Image.Exif) -> bytes:
    kept = Image.Exif()
    for tag in KEPT:
        if tag in exif:
            kept[tag] = exif[tag]
    details = {tag: value for tag, value in exif.get_ifd(ExifTags.IFD.Exif).items() if tag not in NOT_KEPT}
    if details:
        kept.get_ifd(ExifTags.IFD.Exif).update(details)
    return kept.tobytes() if len(kept) or details else b""
