import numpy as np
import pytest

from models.errors import CatalogueError
from tasks.catalogue.idx import count_items, read_images, read_labels
from tests.catalogues import write_idx


@pytest.fixture
def images(tmp_path):
    path = tmp_path / "images"
    write_idx(path, np.arange(3 * 784, dtype=np.uint64).astype(np.uint8).reshape(3, 28, 28))
    return path


def test_reads_what_was_written(images, tmp_path):
    assert read_images(images).shape == (3, 28, 28)
    assert read_images(images)[1, 0, :3].tolist() == [16, 17, 18]
    write_idx(tmp_path / "labels", np.array([9, 0, 4], np.uint8))
    assert read_labels(tmp_path / "labels").tolist() == [9, 0, 4]


def test_counts_from_the_header_alone(images):
    images.write_bytes(images.read_bytes()[:8])
    assert count_items(images) == 3


@pytest.mark.parametrize(("change", "message"), [(-1, "truncated"), (-2352 - 4, "truncated"), (1, "too long")])
def test_a_wrong_length_names_the_file(images, change, message):
    content = images.read_bytes()
    images.write_bytes(content[:change] if change < 0 else content + b"x")
    with pytest.raises(CatalogueError, match=f"{images}: {message}"):
        read_images(images)


def test_another_kind_of_file_is_told(images):
    with pytest.raises(CatalogueError, match="begins with 0x00000803, not 0x00000801"):
        read_labels(images)


def test_an_unknown_label_is_told(tmp_path):
    write_idx(tmp_path / "labels", np.array([1, 10], np.uint8))
    with pytest.raises(CatalogueError, match="label 10 at item 1, allowed: 0 to 9"):
        read_labels(tmp_path / "labels")


def test_an_empty_file_is_told(tmp_path):
    (tmp_path / "labels").write_bytes(b"")
    with pytest.raises(CatalogueError, match="truncated, 0 bytes"):
        count_items(tmp_path / "labels")


def test_another_image_size_is_told(images):
    images.write_bytes(images.read_bytes()[:8] + (32).to_bytes(4) * 2 + bytes(3 * 32 * 32))
    with pytest.raises(CatalogueError, match="images of 32x32 pixels, expected 28x28"):
        read_images(images)
