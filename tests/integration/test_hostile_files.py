"""Hostile files against all that reads pictures: each is read, or refused in one line of our own, without a hang."""

import os
import signal
import socket
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from models.errors import CatalogueError, InputError, PackshotError
from tasks.market.header import read_header
from tasks.operations.contract import region
from tasks.operations.stylize import read_style
from tasks.photos.decoding import count_pixels, measure_photo, opened_photo, quiet_pillow
from tasks.photos.limits import MAX_SIDE, MOST_BYTES, MOST_PAGES
from tasks.photos.photo_file import load_photo
from tasks.photos.reading import decode_picture
from tasks.provenance.embedded import find_own
from tests.catalogues import make_photo
from tests.hostile_files import bombs, mutations, valid_files

HANGS = 30
"""Seconds after which a reader is taken for one that never ends; all these files together take fewer."""
READERS = {
    "edit": lambda path: decode_picture(load_photo(path)),
    "check": lambda path: read_header(load_photo(path)),
    "lineage": find_own,
    "catalogue": measure_photo,
    "budget": lambda path: count_pixels(load_photo(path)),
    "mask": lambda path: region._read_mask(path, 80, 64, scale=True),
    "style": read_style,
}


@contextmanager
def no_hang(name):
    def stop(*_):
        pytest.fail(f"{name} hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANGS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def read(path):
    """What each reader answers: "" where it reads the file, else its one line."""
    answers = {}
    for name, reader in READERS.items():
        with no_hang(f"{name} of {path.name}"), quiet_pillow():
            try:
                found = reader(path)
                answers[name] = found.problem if name == "catalogue" else ""
            except PackshotError as error:
                answers[name] = str(error)
    assert all("\n" not in answer and len(answer) < 1000 for answer in answers.values())
    return answers


def test_valid_files_are_read_or_called_animated(tmp_path):
    for name, content in valid_files().items():
        (tmp_path / name).write_bytes(content)
        several = name in ("apng", "animated.webp", "pages.tif", "animated.gif")
        assert ("3" in read(tmp_path / name)["edit"]) == several, name


BOMBS = bombs()
REFUSED = {
    "empty.png": "empty: 0 bytes",
    "profile.png": "damaged: ",
    "itxt.png": "damaged: ",
    "ztxt.png": "damaged: ",
    "texts.png": "too much metadata",
    "chunks.png": "too many parts",
    "huge.png": "too large: ",
    "wide.png": "too large: ",
    "long.png": f"too large: 1x30000 pixels, at most {MAX_SIDE} a side",
    "no-pixels.png": "not an image",
    "pages.tif": f"several pages: {MOST_PAGES} or more",
    "loop.tif": "several pages: 50",
    "huge.tif": "too large: ",
    "frames.gif": f"animated: {MOST_PAGES} or more",
    "large-frames.gif": "animated: 2",
    "scans.jpg": "too many scans",
    "drawing.svg": "a drawing (SVG)",
    "script.png": "not an image",
    "paper.jpg": "not an image",
    "icon.png": "not an image",
    "huge.ppm": "too large: ",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_one_line(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BOMBS[name])
    answers = read(path)
    if name in REFUSED:
        assert REFUSED[name] in answers["edit"]
        assert answers["catalogue"]


def test_some_hundred_mutations_end_in_a_picture_or_in_one_line(tmp_path):
    path, refused = tmp_path / "x", 0
    for name, content in mutations(
        number=int(os.environ.get("PACKSHOT_MUTATIONS", "300")), seed=int(os.environ.get("PACKSHOT_SEED", "1"))
    ):
        path = tmp_path / name
        path.write_bytes(content)
        refused += bool(read(path)["edit"])
        path.unlink()
    assert refused


def make_fifo(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (make_fifo, "a pipe"),
        (make_socket, "a socket|no such device"),
        (lambda path: path.mkdir(), "is a directory"),
        (partial(os.symlink, "/dev/zero"), "a device"),
    ],
)
def test_what_is_no_file_is_refused_without_waiting(tmp_path, monkeypatch, make, kind):
    monkeypatch.chdir(tmp_path)  # a socket's path has 107 bytes at most
    make(tmp_path.joinpath("x.png").relative_to(tmp_path))
    with no_hang(kind), pytest.raises(CatalogueError, match=f"({kind})"):
        load_photo(tmp_path / "x.png")
    with pytest.raises(InputError, match=r"^mask"):
        region._read_mask(tmp_path / "x.png", 8, 8, scale=False)
    assert measure_photo(tmp_path / "x.png").problem


def test_a_file_larger_than_a_photograph_is_not_read(tmp_path):
    with (tmp_path / "x.png").open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)
    with pytest.raises(CatalogueError, match=r"x\.png: too large: 1,073,741,825 bytes, at most 1,073,741,824"):
        load_photo(tmp_path / "x.png")


def test_a_name_that_holds_a_nul_is_one_line(tmp_path):
    with pytest.raises(CatalogueError, match="cannot be read: embedded null byte"):
        load_photo(tmp_path / "a\0b.png")


def test_the_pixels_are_those_of_the_first_page_after_pages_were_counted(tmp_path):
    make_photo(1).save(tmp_path / "a.tif", save_all=True, append_images=[make_photo(2)])
    with opened_photo(tmp_path / "a.tif") as image:
        from tasks.photos.decoding import count_frames

        assert count_frames(image) == 2
        assert np.array_equal(np.asarray(image), np.asarray(make_photo(1)))
