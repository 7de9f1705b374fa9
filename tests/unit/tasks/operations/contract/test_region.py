"""Regions from masks, boxes and polygons, and what is refused in them."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydantic import ValidationError

from models.errors import InputError
from tasks.operations.contract.region import Box, Region


def save(path, image, **settings):
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(path, **settings)
    return str(path)


def square(height=60, width=80):
    mask = np.zeros((height, width), np.uint8)
    mask[10:30, 20:50] = 255
    return mask


def test_boxes_and_polygons_from_text_are_those_from_numbers():
    text = Region(boxes="10 20 110 90; 200 20 300 80;", polygons="0 0 50 0 50 50.5")
    numbers = Region(
        boxes=[[10, 20, 110, 90], {"left": 200, "top": 20, "right": 300, "bottom": 80}],
        polygons=[[(0, 0), (50, 0), (50, 50.5)]],
    )
    assert text == numbers == Region.model_validate_json(text.model_dump_json())
    assert str(text.boxes[0]) == "10 20 110 90"
    assert not text.is_empty
    assert Region().is_empty


def test_a_box_marks_its_pixels_and_no_others():
    inside = Region(boxes="2 1 5 4").rasterise(6, 8)
    assert inside.dtype == np.bool_
    assert inside.sum() == 9
    assert inside[1:4, 2:5].all()
    assert Region(boxes="0 0 8 6").rasterise(6, 8).all()


def test_mask_boxes_and_polygons_add_up(tmp_path):
    region = Region(mask=save(tmp_path / "m.png", square()), boxes="0 0 5 5", polygons="60 40 70 40 70 50 60 50")
    assert region.rasterise(60, 80).sum() == 20 * 30 + 25 + 100


@pytest.mark.parametrize(
    "values",
    [
        {"boxes": "10 20 110"},
        {"boxes": "10 20 10 90"},
        {"boxes": "10 90 20 20"},
        {"boxes": "-1 0 5 5"},
        {"boxes": "a b c d"},
        {"polygons": "0 0 5 5"},
        {"polygons": "0 0 5 5 9"},
        {"polygons": "0 0 5 5 nan 4"},
        {"rectangles": "0 0 5 5"},
    ],
)
def test_what_is_no_region_is_refused(values):
    with pytest.raises(ValidationError):
        Region(**values)


@pytest.mark.parametrize("values", [{"boxes": "70 10 81 20"}, {"boxes": "0 0 5 61"}, {"polygons": "0 0 81 0 5 5"}])
def test_what_lies_outside_the_picture_is_refused(values):
    with pytest.raises(InputError, match=r"points inside the picture of 80x60 pixels"):
        Region(**values).rasterise(60, 80)


def test_nothing_and_nothing_marked_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"^region: got 'nothing', allowed: a mask, boxes or polygons"):
        Region().rasterise(60, 80)
    black = save(tmp_path / "black.png", np.zeros((60, 80), np.uint8))
    with pytest.raises(InputError, match=r"black\.png.*something marked: white inside"):
        Region(mask=black).rasterise(60, 80)
    with pytest.raises(InputError, match=r"no pixel's centre"):
        Region(polygons="1.1 1.1 1.2 1.1 1.2 1.3").rasterise(60, 80)


def test_a_mask_of_another_size_is_refused_or_scaled(tmp_path):
    path = save(tmp_path / "m é.png", square())
    with pytest.raises(InputError, match=r"m é\.png of 80x60.*160x120, the picture's size, or scale_mask=true"):
        Region(mask=path).rasterise(120, 160)
    scaled = Region(mask=path, scale_mask=True).rasterise(120, 160)
    np.testing.assert_array_equal(scaled, square().repeat(2, axis=0).repeat(2, axis=1) > 0)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P", "LA"])
def test_masks_of_every_mode(tmp_path, mode):
    path = save(tmp_path / "m.png", Image.fromarray(square()).convert(mode))
    np.testing.assert_array_equal(Region(mask=path).rasterise(60, 80), square() > 0)


def test_transparent_parts_of_a_mask_are_outside(tmp_path):
    white = np.dstack([np.full((60, 80, 3), 255, np.uint8), square()])
    np.testing.assert_array_equal(Region(mask=save(tmp_path / "m.png", white)).rasterise(60, 80), square() > 0)


def test_sixteen_bit_masks_keep_their_white(tmp_path):
    path = save(tmp_path / "m.png", square().astype(np.uint16) * 257)
    np.testing.assert_array_equal(Region(mask=path).rasterise(60, 80), square() > 0)


def test_soft_edges_and_jpeg_are_still_masks(tmp_path):
    drawn = Image.new("L", (1600, 1600))
    ImageDraw.Draw(drawn).ellipse((200, 200, 1400, 1300), fill=255)
    soft = drawn.resize((400, 400), Image.Resampling.LANCZOS)
    for path in (save(tmp_path / "m.png", soft), save(tmp_path / "m.jpg", soft.convert("RGB"), quality=75)):
        assert Region(mask=path).rasterise(400, 400).mean() == pytest.approx(np.pi * 0.375 * 0.34375, abs=0.005)


def test_a_photograph_is_no_mask(tmp_path):
    across = np.tile(np.linspace(0, 255, 80).astype(np.uint8), (60, 1))
    red = np.zeros((60, 80, 3), np.uint8)
    red[10:40, 10:40] = (255, 0, 0)
    for image in (across, red):
        with pytest.raises(InputError, match=r"white inside, black outside, but \d+% of it is grey or coloured"):
            Region(mask=save(tmp_path / "photo.png", image)).rasterise(60, 80)


def test_what_is_no_picture_is_no_mask(tmp_path):
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    for name, said in (("text.png", "not an image"), ("empty.png", "empty"), ("none.png", "No such file"), ("", "dir")):
        with pytest.raises(InputError, match=rf"^mask: got .*{said}"):
            Region(mask=str(tmp_path / name)).rasterise(60, 80)


def test_a_region_of_a_single_pixel(tmp_path):
    assert Region(mask=save(tmp_path / "m.png", np.full((1, 1), 255, np.uint8))).rasterise(1, 1).all()
    assert Region(boxes=(Box(left=0, top=0, right=1, bottom=1),)).rasterise(1, 1).all()


@pytest.mark.photos
def test_no_real_photograph_passes_for_a_mask(photographs, tmp_path):
    paths = sorted(photographs.glob("packshots/*.webp"))[::7] + sorted(photographs.glob("kodak/*.png"))[::8]
    for path in paths + sorted(photographs.glob("clothing/validation/*/*.jpg"))[::60]:
        height, width = cv2.imread(str(path)).shape[:2]
        with pytest.raises(InputError, match="grey or coloured"):
            Region(mask=str(path)).rasterise(height, width)
