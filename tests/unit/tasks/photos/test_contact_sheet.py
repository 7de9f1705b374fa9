"""Sheets: every image lands where it belongs, margins are even, and captions keep to their width."""

import numpy as np
import pytest
from PIL import Image

from tasks.photos.contact_sheet import GAP, MARGIN, PAPER, contact_sheet, grid, load_font, save_sheet, shorten, wrap
from tasks.provenance.sheet import SheetRecord


def make_images(count: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (count, 8, 8, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_shows_each_image_pixel_by_pixel(channels):
    images = make_images(5, channels)
    sheet = np.asarray(grid(images, columns=3, scale=2))
    for number, image in enumerate(images):
        y, x = (MARGIN + place * (16 + GAP) for place in divmod(number, 3))
        shown = sheet[y : y + 16 : 2, x : x + 16 : 2]
        assert np.array_equal(shown, np.broadcast_to(image, (8, 8, 3)))


def test_a_grids_margins_are_even_and_empty():
    sheet = np.asarray(grid(make_images(6), columns=3))
    assert sheet.shape == (2 * MARGIN + 2 * 8 + GAP, 2 * MARGIN + 3 * 8 + 2 * GAP, 3)
    for edge in (sheet[:MARGIN], sheet[-MARGIN:], sheet[:, :MARGIN], sheet[:, -MARGIN:]):
        assert (edge == PAPER).all()


def test_labels_are_written_below_the_images():
    plain, labelled = grid(make_images(2)), grid(make_images(2), labels=["1", "2"])
    assert labelled.height > plain.height
    below = np.asarray(labelled)[MARGIN + 8 :, MARGIN : MARGIN + 8]
    assert (below != PAPER).any()


@pytest.mark.parametrize(
    ("images", "labels"),
    [(make_images(2)[..., 0], None), (make_images(0), None), (make_images(2) / 255, None), (make_images(2), ["one"])],
)
def test_a_grid_of_something_else_is_refused(images, labels):
    with pytest.raises(ValueError, match="allowed"):
        grid(images, labels=labels)


def test_a_contact_sheet_fits_images_of_any_size_and_marks_missing_ones():
    entries = [(Image.new("RGB", (400, 100), "red"), "wide"), (Image.new("L", (8, 8)), "small"), (None, "broken")]
    sheet = contact_sheet(entries, "three", columns=3, tile=96)
    colours = {colour for _, colour in sheet.getcolors(10**6)}
    assert (255, 0, 0) in colours
    assert (0, 0, 0) in colours
    assert sheet.width == 2 * MARGIN + 3 * 96 + 2 * MARGIN


def test_an_empty_contact_sheet_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([], "none")


def test_text_is_cut_and_wrapped_to_its_width():
    font = load_font(12)
    assert shorten("boot", 200, font) == "boot"
    cut = shorten("a very long caption indeed", 60, font)
    assert cut.endswith("…")
    assert font.getlength(cut) <= 60
    lines = wrap("sku-1\nmean 254.9, expected at most 250, and so on and on", 80, font, lines=3)
    assert lines[0] == "sku-1"
    assert len(lines) == 3
    assert all(font.getlength(line) <= 80 for line in lines)


def test_a_sheet_is_saved_as_png(tmp_path):
    path = save_sheet(grid(make_images(3)), tmp_path / "new" / "sheet.png", SheetRecord(about="three"))
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
    assert [entry.name for entry in path.parent.iterdir()] == ["sheet.png"]
