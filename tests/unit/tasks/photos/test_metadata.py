"""What a file says beside its pixels, and what of it may be written again."""

from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from tasks.photos.metadata import read_metadata, read_records
from tasks.photos.xmp import SOURCE_TYPE_RECORD, XMP_CHUNK, build_xmp

CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
PICTURE = Image.fromarray(np.full((4, 6, 3), 200, np.uint8))


def encoded(form: str, **settings: object) -> bytes:
    stream = BytesIO()
    PICTURE.save(stream, form, **settings)
    return stream.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def exif_of(orientation: int = 1, place: bool = False) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Artist] = "Ada"
    exif[ExifTags.Base.HostComputer] = "a phone"
    if place:
        exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return exif


def test_the_author_is_kept_and_the_place_is_not():
    found = read_metadata(opened(encoded("JPEG", exif=exif_of(6, place=True))))
    assert (found.orientation, found.has_location, found.notes) == (6, True, ())
    kept = Image.Exif()
    kept.load(found.exif)
    assert kept[ExifTags.Base.Artist] == "Ada"
    assert ExifTags.Base.HostComputer not in kept
    assert not kept.get_ifd(ExifTags.IFD.GPSInfo)


def test_a_file_without_metadata_has_none():
    found = read_metadata(opened(encoded("PNG")))
    assert (found.orientation, found.has_location, found.source_type, found.exif) == (1, False, "", b"")


def test_an_orientation_that_there_is_not_is_upright():
    assert read_metadata(opened(encoded("JPEG", exif=exif_of(77)))).orientation == 1


def test_damaged_exif_is_left_out_and_said():
    (note,) = read_metadata(opened(encoded("JPEG", exif=b"Exif\0\0nothing of the kind"))).notes
    assert note.startswith("damaged EXIF was left out: ")


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_the_stated_source_type_is_read_from_xmp(form):
    packet = build_xmp({SOURCE_TYPE_RECORD: CAPTURED}).encode()
    assert read_metadata(opened(encoded(form, xmp=packet))).source_type == CAPTURED


def test_records_are_read_from_text_chunks_and_from_xmp():
    chunks = PngInfo()
    chunks.add_itxt("packshot:edit", '{"a": "<&>"}')
    chunks.add_itxt("Comment", "somebody else's")
    assert read_records(encoded("PNG", pnginfo=chunks)) == {"packshot:edit": '{"a": "<&>"}'}
    packet = build_xmp({"packshot:edit": '{"a": "<&>"}', SOURCE_TYPE_RECORD: CAPTURED}).encode()
    assert read_records(encoded("JPEG", xmp=packet)) == {"packshot:edit": '{"a": "<&>"}'}
    chunks = PngInfo()
    chunks.add_itxt(XMP_CHUNK, packet.decode())
    assert read_records(encoded("PNG", pnginfo=chunks)) == {"packshot:edit": '{"a": "<&>"}'}


def test_what_is_no_image_has_no_records(tmp_path):
    (tmp_path / "note.txt").write_text("packshot:edit")
    assert read_records(tmp_path / "note.txt") == {}
    assert read_records(b"") == {}
