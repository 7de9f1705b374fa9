import hashlib

import imagehash
import numpy as np
import pytest
from PIL import Image

from models.errors import CatalogueError
from tasks.catalogue.table import COLUMNS, read_catalogue
from tests.catalogues import BAD_FILES, ODD_FILES, make_photo, write_cifar, write_fashion_mnist, write_photos


class Recorder:
    def __init__(self):
        self.news = []

    def update(self, done, total, note=""):
        self.news.append((done, total))


@pytest.fixture(scope="module")
def fashion(tmp_path_factory):
    return read_catalogue(write_fashion_mnist(tmp_path_factory.mktemp("fashion"), train=3, test=2), "fashion-mnist")


@pytest.fixture(scope="module")
def cifar10(tmp_path_factory):
    return read_catalogue(write_cifar(tmp_path_factory.mktemp("cifar")), "cifar-10")


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    folder = write_photos(tmp_path_factory.mktemp("bad"), ["shirt"], 2)
    for name, (write, _) in BAD_FILES.items():
        write(folder / "shirt" / name)
    return read_catalogue(folder, "bad")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    (folder / "shoe").mkdir()
    for name, write in ODD_FILES.items():
        write(folder / "shoe" / name)
    return read_catalogue(folder, "odd")


def row_of(catalogue, file):
    return int(catalogue.table.index[catalogue.table["file"] == file][0])


def test_fashion_mnist_is_one_table(fashion):
    table = fashion.table
    assert (fashion.kind, len(table), tuple(table.columns)) == ("fashion-mnist", 50, COLUMNS)
    assert table["sku"].iloc[[0, 29, 30, 49]].tolist() == ["train-00000", "train-00029", "test-00000", "test-00019"]
    assert table["split"].value_counts().to_dict() == {"train": 30, "test": 20}
    assert table["category"].iloc[[0, 9, 10]].tolist() == ["T-shirt/top", "Ankle boot", "T-shirt/top"]
    assert (table["problem"] == "").all()
    assert table["group"].tolist() == list(range(50))


def test_fashion_mnists_statistics_are_those_of_its_pixels(fashion):
    pixels = fashion.pixels[7]
    row = fashion.table.iloc[7]
    assert row["mean"] == pytest.approx(pixels.mean())
    assert row["std"] == pytest.approx(pixels.std())
    assert row["sha256"] == hashlib.sha256(b"L 28x28\n" + pixels.tobytes()).hexdigest()
    assert np.array_equal(np.asarray(fashion.image(7)), pixels)


def test_cifar_is_one_table(cifar10):
    table = cifar10.table
    assert (cifar10.kind, len(table), tuple(table.columns)) == ("cifar-10", 60, COLUMNS)
    assert table["sku"].iloc[[0, 11, 49, 50]].tolist() == ["train-00000", "train-00011", "train-00049", "test-00000"]
    assert table["file"].iloc[[11, 59]].tolist() == ["data_batch_2.bin[1]", "test_batch.bin[9]"]
    assert table["category"].iloc[[0, 11, 59]].tolist() == ["airplane", "automobile", "truck"]
    assert table[["mode", "width", "height", "licence"]].iloc[0].tolist() == ["RGB", 32, 32, ""]


def test_equal_colours_are_equal_in_both_kinds(cifar10, tmp_path):
    (tmp_path / "ship").mkdir()
    assert (cifar10.image(58).mode, cifar10.image(58).size) == ("RGB", (32, 32))
    cifar10.image(58).save(tmp_path / "ship" / "x.png")
    row = read_catalogue(tmp_path, "photos").table.iloc[0]
    same = ["sha256", "phash", "mean", "std", "sharpness"]
    assert row[same].tolist() == cifar10.table.iloc[58][same].tolist()


def test_a_missing_batch_is_named(tmp_path):
    folder = write_cifar(tmp_path)
    (folder / "data_batch_4.bin").unlink()
    with pytest.raises(CatalogueError, match=r"has no data_batch_4\.bin; `packshot data fetch cifar-10` gets them"):
        read_catalogue(folder, "cifar-10")


def test_phashes_are_imagehashs(fashion):
    assert fashion.table["phash"].tolist() == [str(imagehash.phash(fashion.image(row))) for row in range(50)]


def test_equal_pixels_are_equal_in_both_kinds(fashion, tmp_path):
    (tmp_path / "shirt").mkdir()
    fashion.image(3).save(tmp_path / "shirt" / "x.png")
    row = read_catalogue(tmp_path, "photos").table.iloc[0]
    same = ["sha256", "phash", "mean", "std", "sharpness"]
    assert row[same].tolist() == fashion.table.iloc[3][same].tolist()


def test_a_missing_or_uneven_idx_file_is_named(tmp_path):
    folder = write_fashion_mnist(tmp_path, 1, 1)
    labels = folder / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:4] + (9).to_bytes(4) + bytes(9))
    with pytest.raises(CatalogueError, match="has 10 images, t10k-labels-idx1-ubyte 9 labels"):
        read_catalogue(folder, "fashion-mnist")
    labels.unlink()
    with pytest.raises(CatalogueError, match="has no t10k-labels-idx1-ubyte"):
        read_catalogue(folder, "fashion-mnist")


def test_photos_are_one_table(tmp_path):
    recorder = Recorder()
    catalogue = read_catalogue(write_photos(tmp_path, count=2, splits=["train", "val"]), "photos", recorder)
    row = catalogue.table.iloc[0]
    assert (len(catalogue.table), tuple(catalogue.table.columns)) == (8, COLUMNS)
    assert row[["sku", "category", "split", "format", "mode"]].tolist() == [
        "train/shirt/000",
        "shirt",
        "train",
        "JPEG",
        "RGB",
    ]
    assert row[["width", "height", "frames", "bytes"]].tolist() == [64, 80, 1, (tmp_path / row["file"]).stat().st_size]
    grey = np.asarray(catalogue.image(0).convert("L"))
    assert row["mean"] == pytest.approx(grey.mean())
    assert recorder.news[-1] == (8, 8)


@pytest.mark.parametrize(("name", "problem"), [(name, problem) for name, (_, problem) in BAD_FILES.items()])
def test_a_bad_file_is_a_row_with_a_problem(bad, name, problem):
    row = bad.table.iloc[row_of(bad, f"shirt/{name}")]
    assert row["problem"].startswith(problem)
    assert "\n" not in row["problem"]
    assert (row["sha256"], row["phash"], row["duplicate_of"]) == ("", "", "")
    assert np.isnan(row["mean"])


def test_bad_files_do_not_hurt_good_ones(bad):
    good = bad.table[bad.table["problem"] == ""]
    assert good["file"].tolist() == ["shirt/000.jpg", "shirt/001.jpg"]
    assert bad.table["group"].is_unique
    assert bad.table.iloc[row_of(bad, "shirt/animated.gif")]["frames"] == 3


def test_the_image_of_a_bad_row_is_a_clear_error(bad):
    with pytest.raises(CatalogueError, match=r"empty\.jpg: empty: 0 bytes"):
        bad.image(row_of(bad, "shirt/empty.jpg"))


def test_sixteen_bits_are_scaled_to_eight(odd):
    row = row_of(odd, "shoe/sixteen.png")
    pixels = np.asarray(odd.image(row))
    assert odd.table.loc[row, "mode"] == "I;16"
    assert (odd.image(row).mode, pixels.min(), pixels.max()) == ("L", 0, 255)
    assert pixels.mean() == pytest.approx(127.5, abs=0.5)


def test_cmyk_becomes_rgb(odd):
    row = row_of(odd, "shoe/cmyk.jpg")
    assert (odd.table.loc[row, "mode"], odd.image(row).mode) == ("CMYK", "RGB")
    difference = np.asarray(odd.image(row), np.int64) - np.asarray(make_photo(1005), np.int64)
    assert np.abs(difference).mean() < 6


def test_alpha_is_flattened_on_white(odd):
    row = row_of(odd, "shoe/transparent.png")
    assert odd.table.loc[row, "mode"] == "RGBA"
    assert (odd.image(row).getpixel((5, 5)), odd.image(row).getpixel((35, 5))) == ((255, 255, 255), (255, 0, 0))


def test_exif_orientation_is_applied(odd):
    row = row_of(odd, "shoe/rotated.jpg")
    assert odd.table.loc[row, ["width", "height"]].tolist() == [64, 80]
    assert odd.image(row).size == (64, 80)
    upright = make_photo(1006, (80, 64)).transpose(Image.Transpose.ROTATE_270)
    assert np.abs(np.asarray(odd.image(row), np.int64) - np.asarray(upright, np.int64)).mean() < 6


def test_duplicates_are_named_and_grouped(tmp_path):
    folder = write_photos(tmp_path, ["shirt"], 3)
    Image.open(folder / "shirt" / "000.jpg").save(folder / "shirt" / "copy.png")
    make_photo(1).save(folder / "shirt" / "near.jpg", quality=75)
    table = read_catalogue(folder, "photos").table.set_index("file")
    copy, near = table.loc["shirt/copy.png"], table.loc["shirt/near.jpg"]
    assert (copy["duplicate_of"], copy["near_duplicate_of"]) == ("shirt/000", "")
    assert (near["duplicate_of"], near["near_duplicate_of"]) == ("", "shirt/001")
    assert table["group"].tolist() == [0, 1, 2, 0, 1]


def test_images_of_one_product_are_one_group(tmp_path):
    folder = write_photos(tmp_path, ["shirt"], 3)
    (folder / "catalogue.csv").write_text("file,sku\nshirt/000.jpg,A\nshirt/002.jpg,A\n")
    assert read_catalogue(folder, "photos").table["group"].tolist() == [0, 1, 0]


def test_one_category_only_is_read(tmp_path):
    assert read_catalogue(write_photos(tmp_path, ["shirt"], 2), "photos").table["category"].unique().tolist() == [
        "shirt"
    ]
