import numpy as np
import pytest

from models.errors import CatalogueError
from tasks.catalogue import cifar
from tests.catalogues import write_cifar


@pytest.fixture
def folder(tmp_path):
    return write_cifar(tmp_path / "cifar-10")


def test_records_are_planes_red_first(tmp_path):
    record = np.zeros(cifar.RECORD, np.uint8)
    record[0], record[1], record[1 + 1024 + 33], record[-1] = 7, 10, 20, 30
    (tmp_path / "x.bin").write_bytes(record.tobytes() * 2)
    images, labels = cifar.read_batch(tmp_path / "x.bin")
    assert (images.shape, labels.tolist()) == ((2, 32, 32, 3), [7, 7])
    assert (images[1, 0, 0].tolist(), images[1, 1, 1].tolist()) == ([10, 0, 0], [0, 20, 0])
    assert images[1, 31, 31].tolist() == [0, 0, 30]
    assert images.sum() == 120


def test_batches_are_counted_by_their_size(folder):
    assert [cifar.count_items(folder / name) for name in cifar.IMAGES] == [10] * 6


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"x", lambda content: b""])
def test_a_wrong_length_names_the_file(folder, change):
    path = folder / "data_batch_3.bin"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CatalogueError, match=rf"{path}: truncated or no batch of CIFAR-10, [0-9,]+ bytes"):
        cifar.check_files(folder)


def test_an_unknown_label_is_named_with_its_record(folder):
    path = folder / "test_batch.bin"
    content = bytearray(path.read_bytes())
    content[4 * cifar.RECORD] = 10
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match="label 10 at record 4, allowed: 0 to 9"):
        cifar.check_files(folder)


def test_other_names_are_another_data_set(folder):
    cifar.check_files(folder)
    (folder / cifar.NAMES).write_text("apple\nbaby\n")
    with pytest.raises(CatalogueError, match="names apple, baby, expected airplane, automobile"):
        cifar.check_files(folder)
    (folder / cifar.NAMES).write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogueError, match="not a text file"):
        cifar.check_files(folder)
