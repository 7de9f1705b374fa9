"""The formats of photographs, one row each: which are read, which are written and how, and what their files are called.

Everything that lists formats is derived from `FORMATS`; a format that is written needs its row and its settings.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from models.errors import InputError
from tasks.photos.xmp import SOURCE_TYPE_RECORD, XMP_CHUNK, build_xmp

if TYPE_CHECKING:
    from tasks.photos.options import WriteOptions

    FileFormat = str
    FormatName = str

# Run lengths alone suit filtered photographs: as small as zlib's level 6, in a quarter of the time.
PNG_STRATEGY = zlib.Z_RLE
PREDICTOR = 317  # differences between neighbours compress better (TIFF 6.0, section 14)
XMP_TAG = 700  # TIFF's, of Adobe's XMP specification, part 3
FULL_COLOUR_QUALITY = 90  # from here on JPEG keeps the colours of every pixel
MOST_XMP = 65_000  # bytes; JPEG has 65,502 for a packet (Adobe XMP specification, part 3, 1.1.3)

Records = Mapping[str, str]
"""Text by name, as a file is written with it."""
Settings = Callable[["WriteOptions", Records, bytes], dict[str, Any]]
"""What Pillow's `save` is told of options, records and cleaned EXIF."""


class Written(NamedTuple):
    """How a format is written: the longest side that it holds, whether it has transparency, and its settings."""

    most: int
    has_alpha: bool
    settings: Settings


class Format(NamedTuple):
    """A format: `name` is Pillow's; a file is written with one of `suffixes`, `others` are names only met in reading.

    Files of a format that is `catalogued` are taken for photographs where a catalogue's folder is listed.
    """

    name: str
    suffixes: tuple[str, ...]
    others: tuple[str, ...] = ()
    catalogued: bool = False
    written: Written | None = None

    @property
    def key(self) -> str:
        """What people call it: its first suffix, without the dot."""
        return self.suffixes[0].removeprefix(".")


def _png(options: WriteOptions, records: Records, exif: bytes) -> dict[str, Any]:
    return {"pnginfo": png_chunks(records), "compress_type": PNG_STRATEGY, **_exif(exif)}


def png_chunks(records: Records) -> object:
    """The records as a PNG's text chunks; the digital source type as XMP, where every reader looks for it."""
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    for name, text in sorted(records.items()):
        if name != SOURCE_TYPE_RECORD:
            chunks.add_itxt(name, text)
    if SOURCE_TYPE_RECORD in records:
        chunks.add_itxt(XMP_CHUNK, build_xmp({SOURCE_TYPE_RECORD: records[SOURCE_TYPE_RECORD]}))
    return chunks


def _jpeg(options: WriteOptions, records: Records, exif: bytes) -> dict[str, Any]:
    sampling = "4:4:4" if options.quality >= FULL_COLOUR_QUALITY else "4:2:0"
    return {"quality": options.quality, "subsampling": sampling, **_xmp(records), **_exif(exif)}


def _webp(options: WriteOptions, records: Records, exif: bytes) -> dict[str, Any]:
    # "exact" keeps the colours under what is transparent; in lossless files nothing at all may change.
    lossless = {"lossless": options.lossless, "exact": options.lossless}
    return {"quality": options.quality, **lossless, **_xmp(records), **_exif(exif)}


def _tiff(options: WriteOptions, records: Records, exif: bytes) -> dict[str, Any]:
    from PIL import ExifTags, Image

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


FORMATS = (
    Format("PNG", (".png",), (".apng",), True, Written(2**31 - 1, True, _png)),
    Format("JPEG", (".jpg", ".jpeg"), (".jpe", ".jfif", ".mpo"), True, Written(65_500, False, _jpeg)),
    Format("WEBP", (".webp",), (), True, Written(16_383, True, _webp)),
    Format("TIFF", (".tif", ".tiff"), (), True, Written(2**31 - 1, True, _tiff)),
    Format("GIF", (".gif",), (), True),
    Format("BMP", (".bmp",), (".dib",), True),
    Format("AVIF", (".avif",), (".avifs",)),
    Format("JPEG2000", (".jp2", ".j2k", ".jpx")),
    Format("PPM", (".ppm", ".pgm", ".pbm", ".pnm")),
)
"""What is read; Pillow's reader of JPEG reads MPO. Others are not tried: PostScript's runs a program."""
NOT_READ = (".heic", ".heif", ".svg", ".psd", ".tga", ".ico")
"""What is taken for a picture by its name all the same, so that it is reported and not passed over."""

BY_NAME = {form.name: form for form in FORMATS}
WRITTEN = {form.key: form for form in FORMATS if form.written}
BY_SUFFIX = {suffix: form for form in FORMATS for suffix in (*form.suffixes, *form.others)}
WRITTEN_SUFFIXES = {suffix: key for key, form in WRITTEN.items() for suffix in form.suffixes}
"""What the name of a result may end in, to what it is written as."""
CATALOGUED = frozenset(suffix for form in FORMATS if form.catalogued for suffix in form.suffixes)

if not TYPE_CHECKING:
    # Literals, so that forms and schemas list the choices; a type checker takes both for text.
    FileFormat = Literal[tuple(WRITTEN)]
    FormatName = Literal[tuple(BY_NAME)]


def is_image_name(name: str) -> bool:
    """True when the file's suffix is that of a format whose files are a catalogue's photographs."""
    return PurePath(name).suffix.lower() in CATALOGUED


def is_picture_name(name: str) -> bool:
    """True when the file is a picture by its name, whether it can be read or not."""
    suffix = PurePath(name).suffix.lower()
    return suffix in BY_SUFFIX or suffix in NOT_READ


def find_written(suffix: str) -> tuple[Format, Written]:
    """The format written for `suffix`, such as ".jpg", in any case.

    Raises:
        InputError: it is not supported; the message lists the suffixes that are.
    """
    if suffix.lower() not in WRITTEN_SUFFIXES:
        raise InputError("output", suffix or "a name without a suffix", WRITTEN_SUFFIXES)
    form = WRITTEN[WRITTEN_SUFFIXES[suffix.lower()]]
    assert form.written is not None  # it is one of those
    return form, form.written
