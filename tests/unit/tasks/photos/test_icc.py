"""Colour profiles: converted to sRGB, left alone where they are sRGB, and refused where they do not fit."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from models.errors import CatalogueError
from tasks.photos.icc import check_rgb, describe, to_srgb

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def swap_primaries(profile):
    """A valid profile whose red and green are exchanged, so that its colours must move."""
    changed = bytearray(profile)
    swap = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}
    for number in range(struct.unpack(">I", profile[128:132])[0]):
        entry = slice(132 + 12 * number, 136 + 12 * number)
        changed[entry] = swap.get(bytes(changed[entry]), changed[entry])
    return bytes(changed)


def colours():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8))


def test_a_profile_that_is_srgb_leaves_the_picture_itself():
    picture = colours()
    assert to_srgb(picture, SRGB) is picture


def test_exchanged_primaries_exchange_the_colours():
    red = Image.new("RGB", (2, 2), (255, 0, 0))
    made = to_srgb(red, swap_primaries(SRGB)).getpixel((0, 0))
    assert made[1] > 250
    assert max(made[0], made[2]) < 5


@pytest.mark.parametrize("content", [b"", b"no profile", SRGB[:200]])
def test_damaged_profiles_are_one_line(content):
    for use in (lambda: to_srgb(colours(), content), lambda: check_rgb(content)):
        with pytest.raises(CatalogueError, match=r"^a damaged profile: .+") as refusal:
            use()
        assert "\n" not in str(refusal.value)


def test_a_profile_of_other_pixels_is_named():
    check_rgb(SRGB)
    with pytest.raises(CatalogueError, match=r"^a profile for Lab pixels, not for RGB$"):
        check_rgb(LAB)
    with pytest.raises(CatalogueError, match=r"^a profile for RGB pixels, not for GRAY$"):
        to_srgb(colours().convert("L"), SRGB)
    with pytest.raises(CatalogueError, match=r"^a profile for RGB pixels, not for CMYK$"):
        to_srgb(colours().convert("CMYK"), SRGB)


def test_a_profile_is_called_what_it_calls_itself():
    assert "sRGB" in describe(SRGB)
    assert describe(b"no profile") == "without a name"
