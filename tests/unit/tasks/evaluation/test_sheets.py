"""Pictures to compare versions by: equal places hold equal seeds, walks stay on the sphere, strips keep their order."""

import numpy as np
import pytest
from PIL import Image

from models.exported.generator import ExportedGenerator
from models.exported.noise import latents
from tasks.evaluation.sheets import (
    COLUMNS,
    LABEL_WIDTH,
    MOST_ROWS,
    SEED,
    draw,
    enlargement,
    film_strip,
    interpolate,
    interpolation_sheet,
    pairs_sheet,
    version_sheet,
)
from tasks.photos.contact_sheet import GAP, MARGIN, grid
from tests.generators import CATEGORIES, SIDE, write_generator


@pytest.fixture(params=[True, False], ids=["conditional", "unconditional"])
def generator(request, tmp_path):
    return ExportedGenerator(write_generator(tmp_path / "generator.onnx", conditional=request.param))


def find(sheet, image):
    """True when the enlarged image stands somewhere in the sheet's first column."""
    big = np.kron(image[:, :, 0], np.ones((enlargement(SIDE),) * 2, np.uint8))
    column = np.asarray(sheet)[:, MARGIN + LABEL_WIDTH :, 0][:, : big.shape[1]]
    return [top for top in range(len(column) - len(big) + 1) if np.array_equal(column[top : top + len(big)], big)]


def test_a_version_sheet_has_a_row_for_each_category_in_order(generator):
    sheet = version_sheet(generator, "a title")
    rows = len(CATEGORIES)
    if generator.conditional:
        noise = np.repeat(latents(1, generator.latent, SEED), rows, axis=0)
    else:
        noise = latents(rows * COLUMNS, generator.latent, SEED)[::COLUMNS]
    first = draw(generator, noise, np.arange(rows))
    places = [find(sheet, image) for image in first]
    assert all(len(place) == 1 for place in places)
    assert places == sorted(places)
    assert sheet.width == 2 * MARGIN + LABEL_WIDTH + COLUMNS * (SIDE * enlargement(SIDE) + GAP) - GAP


def test_two_versions_sheets_differ_in_their_images_alone(tmp_path):
    sheets = []
    for seed in (0, 1):
        made = ExportedGenerator(write_generator(tmp_path / f"{seed}.onnx", seed=seed))
        sheets.append(np.asarray(version_sheet(made, "same title")))
    assert sheets[0].shape == sheets[1].shape
    assert np.array_equal(sheets[0][:, : MARGIN + LABEL_WIDTH], sheets[1][:, : MARGIN + LABEL_WIDTH])
    assert not np.array_equal(*sheets)


def test_a_walk_goes_from_end_to_end_and_stays_on_the_sphere():
    first, second = np.float32([3, 0, 0]), np.float32([0, 3, 0])
    path = interpolate(first, second, 5)
    assert path.dtype == np.float32
    np.testing.assert_allclose(path[[0, -1]], [first, second], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 3, rtol=1e-6)
    np.testing.assert_allclose(path[2], np.float32([1, 1, 0]) * 3 / np.sqrt(2), rtol=1e-6)


def test_a_walk_between_equal_points_stays_there():
    point = np.float32([1, 2, 3])
    np.testing.assert_allclose(interpolate(point, point, 3), np.tile(point, (3, 1)), rtol=1e-5)


def test_an_interpolation_begins_at_its_first_point(generator):
    sheet = interpolation_sheet(generator, "walks")
    ends = latents(2 * len(CATEGORIES), generator.latent, SEED)
    for row in range(len(CATEGORIES)):
        assert len(find(sheet, draw(generator, ends[[2 * row]], np.array([row]))[0])) == 1


def test_more_images_than_a_batch_are_drawn_in_order(generator):
    noise = latents(150, generator.latent, 0)
    categories = np.arange(150) % len(CATEGORIES)
    images = draw(generator, noise, categories)
    assert images.shape == (150, SIDE, SIDE, 1)
    assert np.array_equal(images[149:], draw(generator, noise[149:], categories[149:]))


def write_frames(folder, steps):
    for step in steps:
        images = np.full((20, SIDE, SIDE, 1), step % 256, np.uint8)
        images[10:] = 255  # the second row must not show
        grid(images, 10).save(folder / f"samples-{step:07d}.png")


def test_a_film_strip_shows_the_first_row_of_each_grid_in_order(tmp_path):
    write_frames(tmp_path, [30, 10, 200])
    strip = film_strip(tmp_path, SIDE, "the training")
    column = np.asarray(strip)[:, MARGIN + LABEL_WIDTH + 2, 0]
    shown = [value for value, before in zip(column[1:], column[:-1], strict=True) if value != before]
    assert [value for value in shown if value in (10, 30, 200, 255)] == [10, 30, 200]


def test_a_long_training_keeps_its_first_and_last_frame(tmp_path):
    write_frames(tmp_path, range(1, 100))
    strip = film_strip(tmp_path, SIDE, "the training")
    values = set(np.asarray(strip)[:, MARGIN + LABEL_WIDTH + 2, 0].tolist())
    assert {1, 99} <= values
    assert len(values & set(range(1, 100))) == MOST_ROWS


def test_a_training_with_one_grid_has_no_film(tmp_path):
    assert film_strip(tmp_path, SIDE, "none") is None
    write_frames(tmp_path, [1])
    assert film_strip(tmp_path, SIDE, "one") is None


def test_pairs_stand_beside_each_other():
    samples, training = np.full((2, SIDE, SIDE, 1), 10, np.uint8), np.full((2, SIDE, SIDE, 1), 200, np.uint8)
    sheet = pairs_sheet(samples, training, np.float32([1.5, 2.5]), "pairs")
    assert isinstance(sheet, Image.Image)
    row = np.asarray(sheet)[sheet.height // 2, :, 0]
    order = [value for value in row if value in (10, 200)]
    assert order[0] == 10
    assert sum(a != b for a, b in zip(order, order[1:], strict=False)) == 3
