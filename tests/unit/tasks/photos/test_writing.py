"""Edited photographs written: what stays, what is dropped, and originals that are never replaced."""

import io
import os
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from models.errors import InputError, StorageError
from tasks.photos.formats import WRITTEN_SUFFIXES
from tasks.photos.options import WriteOptions
from tasks.photos.picture import Picture
from tasks.photos.reading import read_picture
from tasks.photos.writing import encode_picture, encode_png, flatten, refuse_original, write_image
from tasks.photos.xmp import NAMESPACE, SOURCE_TYPE_RECORD

TERM = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
TEXTS = {"packshot:edit": '{"name":"Sakkō <b> & \\"q\\" 包"}', SOURCE_TYPE_RECORD: TERM}


class Told:
    """A record of the texts that it is given."""

    def __init__(self, **texts):
        self.given = texts

    def texts(self):
        return self.given


RECORD, NOTHING = Told(**TEXTS), Told()
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ALL = sorted(WRITTEN_SUFFIXES)


def noise(height=24, width=40, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def picture_of(**changes):
    return replace(Picture(noise()), **changes)


def opened(content):
    return Image.open(io.BytesIO(content))


def text_of(content):
    info = opened(content).info
    packet = info.get("xmp", b"")
    return packet.decode() if isinstance(packet, bytes) else packet


def exif_with_place():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] = 0.01
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = b"somewhere"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (52.0, 30.0, 0.0)})
    return exif.tobytes()


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".tiff", ".webp"])
@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_files_hold_every_pixel(tmp_path, suffix, channels):
    values = noise(channels=channels)
    picture = Picture(values[..., :3], values[..., 3] if channels == 4 else None)
    write_image(tmp_path / f"out{suffix}", encode_picture(picture, suffix, NOTHING, WriteOptions(lossless=True)))
    read = read_picture(tmp_path / f"out{suffix}").picture
    np.testing.assert_array_equal(read.pixels, picture.pixels)
    if channels == 4:
        np.testing.assert_array_equal(read.alpha, picture.alpha)


@pytest.mark.parametrize("suffix", ALL)
def test_the_same_picture_makes_the_same_bytes(suffix):
    first, again = (encode_picture(picture_of(profile=PROFILE), suffix, RECORD) for _ in range(2))
    assert first == again
    assert first.content != encode_picture(picture_of(profile=PROFILE), suffix, NOTHING).content


def test_quality_is_a_parameter():
    for suffix in (".jpg", ".webp"):
        sizes = [
            len(encode_picture(picture_of(), suffix, NOTHING, WriteOptions(quality=q)).content) for q in (30, 80, 100)
        ]
        assert sizes == sorted(sizes)
        assert sizes[0] < sizes[2] / 2


@pytest.mark.parametrize("quality", [60, 92, 94])
def test_jpeg_holds_pictures_with_more_detail_than_room(quality):
    """Pillow's optimised JPEG fails where a file needs more than a byte a pixel."""
    written = encode_picture(Picture(noise(330, 330)), ".jpg", NOTHING, WriteOptions(quality=quality))
    assert opened(written.content).size == (330, 330)


def test_fine_jpeg_keeps_the_colour_of_every_pixel():
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::2] = (255, 0, 0)
    stripes[:, 1::2] = (0, 0, 255)
    fine, coarse = (
        np.asarray(opened(encode_picture(Picture(stripes), ".jpg", NOTHING, WriteOptions(quality=q)).content))
        for q in (92, 85)
    )
    assert np.abs(fine.astype(int) - stripes).mean() < 8
    assert np.abs(coarse.astype(int) - stripes).mean() > 30


@pytest.mark.parametrize("suffix", ALL)
def test_records_stand_in_every_format(suffix):
    content = encode_picture(picture_of(), suffix, RECORD).content
    assert f'DigitalSourceType="{TERM}"' in text_of(content)
    assert read_picture(content).facts.source_type == TERM
    if suffix == ".png":
        assert opened(content).text["packshot:edit"] == TEXTS["packshot:edit"]
    else:
        names = [one.text for one in ElementTree.fromstring(text_of(content)).iter(f"{{{NAMESPACE}}}name")]
        texts = [one.text for one in ElementTree.fromstring(text_of(content)).iter(f"{{{NAMESPACE}}}text")]
        assert (names, texts) == (["packshot:edit"], [TEXTS["packshot:edit"]])


@pytest.mark.parametrize("suffix", ALL)
def test_the_profile_travels(suffix):
    assert opened(encode_picture(picture_of(profile=PROFILE), suffix, NOTHING).content).info["icc_profile"] == PROFILE
    assert "icc_profile" not in opened(encode_picture(picture_of(), suffix, NOTHING).content).info


@pytest.mark.parametrize("suffix", ALL)
def test_metadata_is_dropped_unless_asked_and_the_place_always(suffix):
    stream = io.BytesIO()
    Image.fromarray(noise()).save(stream, "JPEG", exif=exif_with_place(), comment="a comment", xmp=b"<GPSLatitude/>")
    picture, facts, exif = read_picture(stream.getvalue())
    assert facts.has_location
    dropped = encode_picture(picture, suffix, NOTHING, exif=exif).content
    assert ExifTags.Base.Make not in opened(dropped).getexif()
    kept = encode_picture(picture, suffix, NOTHING, WriteOptions(keep_metadata=True), exif=exif).content
    found = opened(kept).getexif()
    assert found[ExifTags.Base.Make] == "Maker"
    if not suffix.startswith(".tif"):
        assert found.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] == pytest.approx(0.01)
    assert ExifTags.Base.MakerNote not in found.get_ifd(ExifTags.IFD.Exif)
    for content in (dropped, kept):
        assert not read_picture(content).facts.has_location
        assert read_picture(content).facts.orientation == 1
        assert not any(secret in content for secret in (b"somewhere", b"comment", b"GPS"))


def test_jpeg_lays_transparent_parts_on_white_and_says_so():
    alpha = np.zeros((24, 40), np.uint8)
    alpha[:, 20:] = 255
    encoded = encode_picture(Picture(np.zeros((24, 40, 3), np.uint8), alpha), ".jpg", NOTHING)
    pixels = np.asarray(opened(encoded.content))
    assert pixels[:, :12].min() > 250
    assert pixels[:, 28:].max() < 5
    assert "became white" in encoded.notes[0]


def test_flattening_is_exact():
    pixels = np.full((1, 3, 3), 100, np.uint8)
    laid = flatten(Picture(pixels, np.array([[0, 128, 255]], np.uint8)))
    assert laid[0, :, 0].tolist() == [255, round((100 * 128 + 255 * 127) / 255), 100]


@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".svg", "", ".jpg.exe"])
def test_other_formats_are_refused_with_those_there_are(suffix):
    with pytest.raises(InputError, match=r"^output: .*\.png, \.jpg, \.jpeg, \.webp, \.tif, \.tiff"):
        encode_picture(picture_of(), suffix, NOTHING)


def test_formats_refuse_sides_that_they_cannot_hold():
    long = Picture(np.zeros((1, 66_000, 3), np.uint8))
    for suffix in (".jpg", ".webp"):
        with pytest.raises(InputError, match=r"66000x1 pixels.*\.png"):
            encode_picture(long, suffix, NOTHING)
    assert opened(encode_picture(long, ".png", NOTHING).content).width == 66_000


def test_records_too_long_for_jpeg_are_refused():
    record = Told(**{"packshot:edit": "x" * 70_000})
    with pytest.raises(InputError, match="records: "):
        encode_picture(picture_of(), ".jpg", record)
    assert opened(encode_picture(picture_of(), ".png", record).content).text == record.given


def test_a_failed_write_leaves_what_was_there(tmp_path):
    (tmp_path / "file").write_text("")
    encoded = encode_png(noise(), RECORD)
    with pytest.raises(StorageError):
        write_image(tmp_path / "file" / "out.png", encoded)
    (tmp_path / "out.png").write_text("before")
    with pytest.raises(InputError, match=r"^out: got '.*out.png', allowed: a name that no other file has"):
        write_image(tmp_path / "out.png", encoded)
    assert (tmp_path / "out.png").read_text() == "before"
    for _ in range(2):  # the same bytes may be there already
        write_image(tmp_path / "new.png", encoded)
    write_image(tmp_path / "out.png", encoded, replace=True)
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "new.png").read_bytes() == encoded.content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "new.png", "out.png"]


def test_originals_are_refused_by_whatever_name(tmp_path):
    folder = tmp_path / "photos é"
    folder.mkdir()
    photo = folder / "a b.jpg"
    photo.write_bytes(b"original")
    (tmp_path / "link.jpg").symlink_to(photo)
    os.link(photo, tmp_path / "hard.jpg")
    (tmp_path / "other").symlink_to(folder)
    for target in (
        photo,
        folder,
        folder / ".." / folder.name / photo.name,
        tmp_path / "link.jpg",
        tmp_path / "hard.jpg",
        tmp_path / "other",
        tmp_path / "other" / "a b.jpg",
    ):
        with pytest.raises(InputError, match=r"^output: .*another place than that of the originals"):
            refuse_original(photo, target)
    for target in (folder, tmp_path / "other", folder / ".", folder / "edited", tmp_path / "other" / "deep" / "er"):
        with pytest.raises(InputError, match=r"^output: "):
            refuse_original(folder, target)


def test_other_places_are_allowed(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"original")
    refuse_original(folder / "a.jpg", folder / "a-edited.jpg")
    refuse_original(folder / "a.jpg", tmp_path / "out" / "a.jpg")
    refuse_original(folder, tmp_path / "photos-edited")
    refuse_original(folder, tmp_path)
