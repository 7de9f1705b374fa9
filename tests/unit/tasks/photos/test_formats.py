"""The table of formats: what is derived from it agrees with Pillow and with itself."""

import io
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError
from tasks.editing.job import EditJob
from tasks.market.rules import Formats
from tasks.photos.formats import (
    BY_NAME,
    BY_SUFFIX,
    FORMATS,
    WRITTEN,
    WRITTEN_SUFFIXES,
    FileFormat,
    FormatName,
    find_written,
    is_image_name,
    is_picture_name,
)
from tasks.photos.picture import Picture
from tasks.photos.writing import encode_picture


class Nothing:
    def texts(self):
        return {}


def test_every_choice_of_a_format_is_the_table():
    assert get_args(FileFormat) == tuple(WRITTEN)
    assert get_args(FormatName) == tuple(BY_NAME)
    assert EditJob.model_json_schema()["properties"]["form"]["enum"] == list(WRITTEN)
    assert Formats.model_json_schema()["properties"]["preferred"]["enum"] == list(WRITTEN)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_pillow_reads_each_by_its_name_and_knows_its_suffixes(form):
    Image.init()
    assert form.name in Image.OPEN
    own = {".mpo": "MPO", ".dib": "DIB"}  # which Pillow calls formats of their own
    for suffix in (*form.suffixes, *form.others):
        assert Image.registered_extensions()[suffix] == own.get(suffix, form.name)
    assert all(BY_SUFFIX[suffix] is form for suffix in (*form.suffixes, *form.others))


@pytest.mark.parametrize("suffix", WRITTEN_SUFFIXES)
def test_what_is_written_is_of_its_format_and_keeps_what_it_promises(suffix):
    form, written = find_written(suffix.upper())
    pixels = np.zeros((5, 7, 3), np.uint8)
    encoded = encode_picture(Picture(pixels, np.full((5, 7), 99, np.uint8)), suffix, Nothing())
    with Image.open(io.BytesIO(encoded.content)) as image:
        assert image.format == form.name
        assert image.has_transparency_data is written.has_alpha
    assert bool(encoded.notes) is not written.has_alpha
    too_long = Picture(np.zeros((1, written.most + 1, 3), np.uint8)) if written.most < 100_000 else None
    if too_long is not None:
        with pytest.raises(InputError, match=rf"sides up to {written.most} there; more in \.png"):
            encode_picture(too_long, suffix, Nothing())


def test_names_of_pictures():
    assert [name for name in ("a.JPG", "b.webp", "c.avif", "d.heic", "e.txt") if is_image_name(name)] == [
        "a.JPG",
        "b.webp",
    ]
    assert [name for name in ("c.avif", "d.heic", "e.txt", "f.pgm") if is_picture_name(name)] == [
        "c.avif",
        "d.heic",
        "f.pgm",
    ]
