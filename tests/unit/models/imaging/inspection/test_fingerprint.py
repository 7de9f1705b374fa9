import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from models.imaging.inspection.fingerprint import (
    find_first,
    find_near_pairs,
    group_rows,
    hash_perceptually,
    shrink,
    shrink_stack,
)
from tests.catalogues import draw_category, make_photo


def fingerprint(images):
    small = np.stack([shrink(image) for image in images])
    return hash_perceptually(small), small


def as_hex(hashes):
    return [f"{value:016x}" for value in hashes]


def test_phash_is_imagehashs_bit_for_bit():
    generator = np.random.default_rng(0)
    images = [Image.fromarray(draw_category(number % 10, generator)) for number in range(200)]
    images += [make_photo(seed) for seed in range(50)]
    images += [Image.new("L", (28, 28), grey) for grey in range(0, 256, 15)]
    assert as_hex(fingerprint(images)[0]) == [str(imagehash.phash(image)) for image in images]


@settings(max_examples=50, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_phash_of_any_image_is_imagehashs(pixels):
    image = Image.fromarray(pixels)
    assert as_hex(fingerprint([image])[0]) == [str(imagehash.phash(image))]


@pytest.mark.parametrize("count", [0, 1, 4, 7])
def test_a_stack_shrinks_as_its_images_do(count):
    stack = np.random.default_rng(0).integers(0, 256, (count, 20, 30), dtype=np.uint8)
    expected = [shrink(Image.fromarray(image)) for image in stack]
    assert np.array_equal(shrink_stack(stack), np.reshape(expected, (count, 32, 32)))


def test_phash_does_not_depend_on_its_neighbours():
    small = np.random.default_rng(0).integers(0, 256, (5000, 32, 32), dtype=np.uint8)
    hashes = hash_perceptually(small)
    assert [hash_perceptually(small[row : row + 1])[0] for row in (0, 4095, 4096, 4999)] == [
        hashes[row] for row in (0, 4095, 4096, 4999)
    ]


def test_the_same_photo_smaller_or_recompressed_is_a_near_duplicate(tmp_path):
    original = make_photo(0, (200, 240))
    original.save(tmp_path / "again.jpg", quality=60)
    again = Image.open(tmp_path / "again.jpg")
    images = [original, make_photo(1), original.resize((100, 120)), again]
    assert find_near_pairs(*fingerprint(images)).tolist() == [[0, 2], [0, 3], [2, 3]]


def test_equal_hashes_with_other_pixels_are_no_near_duplicates():
    original = make_photo(0)
    darker = original.point(lambda value: value * 0.8)
    hashes, small = fingerprint([original, darker])
    assert np.bitwise_count(hashes[0] ^ hashes[1]) <= 4
    assert find_near_pairs(hashes, small).tolist() == []


def test_finds_every_pair_within_four_bits():
    generator = np.random.default_rng(0)
    centres = generator.integers(0, 2**64, 40, dtype=np.uint64)
    flips = [
        np.bitwise_or.reduce(np.uint64(1) << generator.choice(64, 2, replace=False).astype(np.uint64))
        for _ in range(400)
    ]
    hashes = np.repeat(centres, 10) ^ np.array(flips, np.uint64)
    distance = np.bitwise_count(hashes[:, None] ^ hashes[None])
    expected = np.argwhere(np.triu(distance <= 4, k=1))
    same = np.zeros((len(hashes), 32, 32), np.uint8)
    assert find_near_pairs(hashes, same).tolist() == expected.tolist()
    assert len(expected) >= 40 * 45


def test_no_images_have_no_pairs():
    assert find_near_pairs(np.empty(0, np.uint64), np.empty((0, 32, 32), np.uint8)).shape == (0, 2)


def test_find_first_points_at_the_first_equal_row():
    assert find_first(["b", "a", "b", "c", "a"]).tolist() == [0, 1, 0, 3, 1]
    assert find_first([]).tolist() == []


def test_groups_are_connected_rows_in_order():
    assert group_rows(5, np.array([[3, 4], [0, 3]])).tolist() == [0, 1, 2, 0, 0]
