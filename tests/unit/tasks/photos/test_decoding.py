"""Photographs measured: upright, flattened on white, equal pixels with equal digests, and bad files described."""

import io

import numpy as np
import pytest
from PIL import Image

from models.errors import CatalogueError
from tasks.photos import decoding
from tasks.photos.decoding import (
    digest_pixels,
    measure_photo,
    measure_photos,
    opened_photo,
    read_photo,
    scale_sixteen,
)
from tests.catalogues import BAD_FILES, ODD_FILES, make_photo


@pytest.fixture
def odd(tmp_path):
    for name, write in ODD_FILES.items():
        write(tmp_path / name)
    return tmp_path


def test_a_photograph_is_measured_as_it_is_shown(odd):
    photo = measure_photo(odd / "rotated.jpg")
    assert (photo.format, photo.mode, photo.width, photo.height, photo.frames) == ("JPEG", "RGB", 64, 80, 1)
    assert photo.problem == ""
    grey = np.asarray(read_photo(odd / "rotated.jpg").convert("L"), float)
    assert (photo.mean, photo.std) == (pytest.approx(grey.mean()), pytest.approx(grey.std()))


def test_equal_pixels_have_one_digest_whatever_their_file(tmp_path):
    for name in ("a.png", "b.bmp", "c.tiff"):
        make_photo(1).save(tmp_path / name)
    make_photo(2).save(tmp_path / "d.png")
    digests = [measure_photo(path).sha256 for path in sorted(tmp_path.iterdir())]
    assert digests[0] == digests[1] == digests[2] != digests[3]
    assert digest_pixels("L", (2, 3), bytes(6)) != digest_pixels("L", (3, 2), bytes(6))


def test_transparent_parts_become_white(odd):
    pixels = np.asarray(read_photo(odd / "transparent.png"))
    assert (pixels[:, :20] == 255).all()
    assert (pixels[:, 20:] == (255, 0, 0)).all()


def test_sixteen_bits_are_rounded_to_eight(odd):
    pixels = np.asarray(read_photo(odd / "sixteen.png"))
    assert (pixels.dtype, pixels.min(), pixels.max()) == (np.uint8, 0, 255)
    values = Image.fromarray(np.array([[0, 128, 129, 385, 65535]], np.uint16))
    assert np.asarray(scale_sixteen(values)).tolist() == [[0, 0, 1, 1, 255]]


def test_grey_stays_grey_and_everything_else_becomes_rgb(odd, tmp_path):
    make_photo(3).convert("1").save(tmp_path / "bits.png")
    make_photo(3).convert("LA").save(tmp_path / "grey.png")
    modes = {name: read_photo(tmp_path / name).mode for name in ("bits.png", "grey.png", "cmyk.jpg", "sixteen.png")}
    assert modes == {"bits.png": "L", "grey.png": "L", "cmyk.jpg": "RGB", "sixteen.png": "L"}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_described_and_not_measured(tmp_path, name):
    write, problem = BAD_FILES[name]
    write(tmp_path / name)
    with decoding.quiet_pillow():
        photo = measure_photo(tmp_path / name)
        with pytest.raises(CatalogueError, match=rf"^{tmp_path / name}: {problem}"):
            read_photo(tmp_path / name)
    assert photo.problem.startswith(problem)
    assert photo.bytes == (tmp_path / name).stat().st_size
    assert photo.sha256 == ""
    assert np.isnan([photo.mean, photo.std, photo.sharpness]).all()
    assert not photo.small.any()


def test_a_missing_file_is_described_too(tmp_path):
    assert "No such file" in measure_photo(tmp_path / "nothing.jpg").problem
    with pytest.raises(FileNotFoundError), opened_photo(tmp_path / "nothing.jpg"):
        pytest.fail("a file that is not there was opened")


def test_photographs_come_in_the_order_of_their_paths_and_are_told_one_by_one(tmp_path):
    paths = []
    for number, side in enumerate((300, 8, 120, 16)):
        paths.append(tmp_path / f"{number}.png")
        make_photo(number, (side, side)).save(paths[-1])
    told = []

    class Told:
        def update(self, done, total, note=""):
            told.append((done, total, note))

    assert [photo.width for photo in measure_photos(paths, Told())] == [300, 8, 120, 16]
    assert told == [(done, 4, "photos read") for done in (1, 2, 3, 4)]
    assert measure_photos([]) == []


def test_a_files_bytes_are_opened_and_formats_that_are_not_read_are_not_tried():
    stream = io.BytesIO()
    make_photo(5).save(stream, "PNG")
    with opened_photo(stream.getvalue()) as image:
        assert image.format == "PNG"
    make_photo(5).save(stream := io.BytesIO(), "EPS")
    with pytest.raises(CatalogueError, match=r"^not an image, or a format"), opened_photo(stream.getvalue()):
        pytest.fail("PostScript was opened")


def test_a_phones_second_picture_is_no_frame(tmp_path):
    make_photo(6).save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[make_photo(7)])
    photo = measure_photo(tmp_path / "phone.jpg")
    assert (photo.frames, photo.problem) == (1, "")
