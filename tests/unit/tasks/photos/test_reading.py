"""Photographs of every mode and with every defect, read for an edit."""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from models.errors import CatalogueError
from tasks.photos import reading
from tasks.photos.reading import read_picture

DIGITAL_ART = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalArt"


def gradient(height=24, width=40):
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([across, down, 255 - across], axis=-1).astype(np.uint8)


def encoded(image, form, **settings):
    stream = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(stream, form, **settings)
    return stream.getvalue()


def swapped_profile(space="RGB"):
    """A valid profile whose red and green primaries are exchanged, so that its colours must move."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for number in range(struct.unpack(">I", profile[128:132])[0]):
        entry = 132 + 12 * number
        swap = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}
        profile[entry : entry + 4] = swap.get(bytes(profile[entry : entry + 4]), profile[entry : entry + 4])
    profile[16:20] = space.encode().ljust(4)
    return bytes(profile)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_of(orientation=None, place=False):
    exif = Image.Exif()
    if orientation:
        exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Maker"
    if place:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (52.0, 30.0, 0.0)})
    return exif.tobytes()


def png16(values, colour_type):
    """A 16-bit PNG of `values` (H, W, C), which Pillow cannot write in colour."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour_type, 0, 0, 0)

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize(("form", "suffix"), [("PNG", ".png"), ("TIFF", ".tif"), ("BMP", ".bmp"), ("WEBP", ".webp")])
def test_lossless_files_give_their_pixels_and_facts(tmp_path, form, suffix):
    path = tmp_path / f"photo é 包{suffix}"
    path.write_bytes(encoded(gradient(), form, **({"lossless": True} if form == "WEBP" else {})))
    picture, facts, _ = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, gradient())
    assert (picture.alpha, picture.profile, picture.notes) == (None, None, ())
    assert (facts.format, facts.mode, facts.width, facts.height, facts.bits) == (form, "RGB", 40, 24, 8)
    assert (facts.sha256, facts.bytes) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
    assert read_picture(path.read_bytes()).facts == facts


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(form, orientation):
    upright = Image.fromarray(gradient())
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = upright.transpose(back.get(orientation, reading.TRANSPOSED[orientation])) if orientation > 1 else upright
    settings = {"lossless": True} if form == "WEBP" else {"quality": 100, "subsampling": 0} if form == "JPEG" else {}
    picture, facts, _ = read_picture(encoded(stored, form, exif=exif_of(orientation), **settings))
    assert np.abs(picture.pixels.astype(int) - gradient()).max() <= (6 if form == "JPEG" else 0)
    assert (facts.orientation, facts.width, facts.height) == (orientation, 40, 24)


def test_a_profile_is_converted_or_kept():
    content = encoded(gradient(), "PNG", icc_profile=swapped_profile())
    picture, facts, _ = read_picture(content)
    assert facts.has_icc
    assert picture.profile is None
    assert picture.notes[0].startswith("colours were converted from the profile")
    assert np.abs(picture.pixels.astype(int) - gradient()).max() > 50
    kept = read_picture(content, icc="keep").picture
    np.testing.assert_array_equal(kept.pixels, gradient())
    assert (kept.profile, kept.notes) == (swapped_profile(), ())


def test_a_profile_that_is_srgb_leaves_the_pixels_alone():
    picture = read_picture(encoded(gradient(), "PNG", icc_profile=SRGB)).picture
    np.testing.assert_array_equal(picture.pixels, gradient())
    assert (picture.profile, picture.notes) == (None, ())


@pytest.mark.parametrize("profile", [b"no profile at all", SRGB[:200], swapped_profile("CMYK")])
@pytest.mark.parametrize("icc", ["srgb", "keep"])
def test_a_broken_profile_is_said_and_taken_for_srgb(profile, icc):
    picture = read_picture(encoded(gradient(), "PNG", icc_profile=profile), icc).picture
    np.testing.assert_array_equal(picture.pixels, gradient())
    assert picture.profile is None
    assert "taken for sRGB" in picture.notes[0]


def test_transparency_becomes_alpha_and_colours_stay():
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (24, 1))
    picture, facts, _ = read_picture(encoded(np.dstack([gradient(), alpha]), "PNG"))
    np.testing.assert_array_equal(picture.alpha, alpha)
    np.testing.assert_array_equal(picture.pixels, gradient())
    assert (facts.has_alpha, facts.mode) == (True, "RGBA")


def test_premultiplied_colours_are_divided_again():
    stored = np.dstack([(gradient() * (128 / 255)).round(), np.full((24, 40), 128)]).astype(np.uint8)
    straight = encoded(stored, "TIFF")
    extra_samples = struct.pack("<HHI", 338, 3, 1)  # TIFF 6.0, section 18: 2 is plain alpha, 1 associated
    assert straight.count(extra_samples + b"\2") == 1
    picture, facts, _ = read_picture(straight.replace(extra_samples + b"\2", extra_samples + b"\1"))
    assert facts.has_alpha
    assert np.abs(picture.pixels.astype(int) - gradient()).max() <= 2


def test_opaque_alpha_is_left_out_and_said():
    picture = read_picture(encoded(np.dstack([gradient(), np.full((24, 40), 255, np.uint8)]), "PNG")).picture
    assert picture.alpha is None
    assert "opaque everywhere" in picture.notes[0]


@pytest.mark.parametrize("transparent", [False, True])
def test_a_palette_is_read_as_its_colours(transparent):
    image = Image.fromarray(gradient()).quantize(8)
    picture, facts, _ = read_picture(encoded(image, "PNG", **({"transparency": 0} if transparent else {})))
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))
    assert facts.mode == "P"
    assert facts.has_alpha is transparent
    assert "colours of a palette were read as RGB" in picture.notes


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_grey_becomes_rgb(mode):
    image = Image.fromarray(gradient()).convert(mode)
    picture, facts, _ = read_picture(encoded(image, "PNG"))
    np.testing.assert_array_equal(picture.pixels[..., 0], np.asarray(image.convert("L")))
    assert (picture.pixels[..., 0] == picture.pixels[..., 2]).all()
    assert facts.mode == mode
    assert "grey pixels were read as RGB" in picture.notes


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (6, 4)])
def test_sixteen_bits_become_eight_and_it_is_said(colour_type, channels):
    eight = np.dstack([gradient(), gradient()[..., 0]])[..., :channels]
    picture, facts, _ = read_picture(png16(eight.astype(np.uint16) * 257, colour_type))
    np.testing.assert_array_equal(picture.pixels[..., 0], eight[..., 0])
    assert facts.bits == 16
    assert "16 bits a channel were reduced to 8" in picture.notes
    if channels == 4:
        np.testing.assert_array_equal(picture.alpha, eight[..., 3])


def test_cmyk_is_converted_by_its_profile_or_by_the_plain_formula():
    image = Image.fromarray(gradient()).convert("CMYK")
    plain = read_picture(encoded(image, "TIFF")).picture
    assert np.abs(plain.pixels.astype(int) - gradient()).max() <= 2
    assert "CMYK without a profile" in plain.notes[0]
    wrong = read_picture(encoded(image, "TIFF", icc_profile=SRGB)).picture
    assert "a profile for RGB pixels, not for CMYK" in wrong.notes[0]


def test_grey_pixels_with_a_colour_profile_are_converted():
    picture = read_picture(encoded(Image.fromarray(gradient()).convert("L"), "PNG", icc_profile=SRGB)).picture
    assert picture.notes == ("grey pixels were read as RGB",)


def test_the_second_picture_of_a_phone_is_left_out():
    image = Image.fromarray(gradient())
    content = encoded(image, "MPO", save_all=True, append_images=[image.resize((8, 8))])
    picture, facts, _ = read_picture(content)
    assert facts.format == "JPEG"
    assert (picture.width, picture.height) == (40, 24)
    assert "left out" in picture.notes[0]


def test_a_name_that_lies_is_read_by_content_and_said(tmp_path):
    path = tmp_path / "photo.JPG"
    path.write_bytes(encoded(gradient(), "PNG"))
    picture, facts, _ = read_picture(path)
    assert facts.format == "PNG"
    assert picture.notes == ("the name ends in .jpg but the file holds PNG: read as PNG",)


@pytest.mark.parametrize("damage", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0"])
def test_damaged_exif_does_not_stop_the_photograph(damage):
    picture, facts, exif = read_picture(encoded(gradient(), "JPEG", exif=damage))
    assert (facts.orientation, facts.has_location, exif) == (1, False, b"")
    assert (picture.width, picture.height) == (40, 24)
    if len(damage) > 6:
        assert "damaged EXIF was left out" in picture.notes[0]


def test_an_impossible_orientation_is_ignored():
    assert read_picture(encoded(gradient(), "JPEG", exif=exif_of(77))).facts.orientation == 1


def test_the_place_is_seen_and_never_kept():
    opened = read_picture(encoded(gradient(), "JPEG", exif=exif_of(6, place=True)))
    assert opened.facts.has_location
    kept = Image.Exif()
    kept.load(opened.exif)
    assert kept[ExifTags.Base.Make] == "Maker"
    assert not kept.get_ifd(ExifTags.IFD.GPSInfo)
    assert ExifTags.Base.Orientation not in kept


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_what_the_file_says_of_its_making_is_kept(form):
    packet = f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{DIGITAL_ART}"/>'
    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", packet)
    settings = {
        "PNG": {"pnginfo": chunks},
        "JPEG": {"xmp": packet.encode()},
        "WEBP": {"xmp": packet.encode()},
        "TIFF": {"tiffinfo": {700: packet.encode()}},
    }
    opened = read_picture(encoded(gradient(), form, **settings[form]))
    assert opened.facts.source_type == DIGITAL_ART


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_moving_pictures_are_refused_with_their_frames(form):
    frames = [Image.fromarray(np.roll(gradient(), 9 * number, axis=1)) for number in range(3)]
    with pytest.raises(CatalogueError, match=r"^photo: (animated: 3 frames|several pages: 3)"):
        read_picture(encoded(frames[0], form, save_all=True, append_images=frames[1:]))


def test_one_frame_of_a_gif_is_a_photograph():
    assert read_picture(encoded(gradient(), "GIF")).facts.format == "GIF"


def test_a_bomb_is_refused_before_it_is_decoded():
    def claiming(width, height):
        return png16(np.zeros((1, 1, 3), np.uint16), 2).replace(
            struct.pack(">II", 1, 1), struct.pack(">II", width, height)
        )

    def with_checksum(content):
        crc = struct.pack(">I", zlib.crc32(content[12:29]))
        return content[:29] + crc + content[33:]

    for width, height, said in (
        (60_000, 60_000, "at most 64 megapixels"),
        (9000, 9000, "9000x9000 pixels, at most 64 megapixels"),
        (20_001, 100, "20001x100 pixels, at most 20000 a side"),
    ):
        with pytest.raises(CatalogueError, match=said):
            read_picture(with_checksum(claiming(width, height)))


def test_a_side_of_20_000_pixels_is_read():
    opened = read_picture(encoded(np.zeros((2, 20_000, 3), np.uint8), "PNG"))
    assert (opened.facts.width, opened.facts.height) == (20_000, 2)


def test_one_pixel_is_a_photograph():
    picture = read_picture(encoded(np.full((1, 1, 3), 7, np.uint8), "PNG")).picture
    assert picture.pixels.tolist() == [[[7, 7, 7]]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty: 0 bytes"),
        (b"hello, this is text", "not an image"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>', "a drawing"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (encoded(gradient(200, 300), "JPEG")[:2000], "damaged: image file is truncated"),
        (encoded(gradient(200, 300), "PNG")[:400], "damaged"),
        (encoded(gradient(200, 300), "WEBP")[:200], "damaged|not an image"),
        (encoded(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF"), "floating-point"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_the_path(tmp_path, content, said):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=said) as caught:
        read_picture(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_folders_and_missing_files_are_refused(tmp_path):
    with pytest.raises(CatalogueError, match="is a directory"):
        read_picture(tmp_path)
    with pytest.raises(CatalogueError, match="no such file"):
        read_picture(tmp_path / "nothing.jpg")


@pytest.mark.photos
@pytest.mark.parametrize("pattern", ["packshots/*.webp", "clothing/validation/*/*.jpg", "kodak/*.png"])
def test_real_photographs_are_read(photographs, pattern):
    for path in sorted(photographs.glob(pattern))[::16]:
        picture, facts, _ = read_picture(path)
        with Image.open(path) as image:
            assert (facts.format, facts.mode) == (image.format, image.mode)
        assert picture.pixels.std() > 5
        assert not picture.notes
