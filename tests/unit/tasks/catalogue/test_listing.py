import pytest

from models.errors import CatalogueError
from tasks.catalogue.listing import list_photos
from tests.catalogues import write_photos


def write_table(folder, text):
    (folder / "catalogue.csv").write_text(text)
    return folder


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path / "photos", count=1)


def test_categories_come_from_folders(photos):
    (photos / "README.md").write_text("about")
    (photos / "shoe" / ".DS_Store").write_text("x")
    found = [(row.sku, row.file, row.category, row.split) for row in list_photos(photos)]
    assert found == [("shirt/000", "shirt/000.jpg", "shirt", ""), ("shoe/000", "shoe/000.jpg", "shoe", "")]


@pytest.mark.parametrize(
    ("folder", "split"), [("train", "train"), ("val", "validation"), ("Valid", "validation"), ("test", "test")]
)
def test_splits_come_from_outer_folders(tmp_path, folder, split):
    (row,) = list_photos(write_photos(tmp_path, ["hat"], 1, [folder]))
    assert (row.split, row.category) == (split, "hat")


def test_a_category_may_be_called_like_a_split(tmp_path):
    (row,) = list_photos(write_photos(tmp_path, ["train"], 1))
    assert (row.split, row.category) == ("", "train")


def test_files_that_differ_in_their_suffix_keep_their_own_sku(photos):
    (photos / "shoe" / "000.png").write_bytes(b"x")
    assert [row.sku for row in list_photos(photos)] == ["shirt/000", "shoe/000.jpg", "shoe/000.png"]


def test_the_table_says_more_than_the_folders(photos):
    table = "\ufeffSKU, file, category, split, licence, consent\nA1, shoe/000.jpg, sneaker, VAL, CC0, yes\n"
    shirt, shoe = list_photos(write_table(photos, table))
    assert (shoe.sku, shoe.category, shoe.split, shoe.licence, shoe.consent) == (
        "A1",
        "sneaker",
        "validation",
        "CC0",
        "yes",
    )
    assert (shirt.sku, shirt.licence) == ("shirt/000", "")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file,colour\n", "line 1: unknown or repeated column 'colour', allowed: sku, file"),
        ("file,sku,sku\n", "line 1: unknown or repeated column 'sku'"),
        ("sku,category\n", "line 1: no column 'file'"),
        ("", "line 1: no column 'file'"),
        ("file,split\nshoe/000.jpg,holdout\n", "line 2, column split: got 'holdout', allowed: empty or one of train"),
        ("file\nshoe/000.jpg\n\nshoe/9.jpg\n", "line 4, column file: 'shoe/9.jpg' is not an image in"),
        ("file\n../secret.jpg\n", "line 2, column file: '../secret.jpg' is not an image in"),
        ("file\nshoe/000.jpg\nshoe/000.jpg\n", "line 3, column file: 'shoe/000.jpg' stands on line 2 already"),
        ("file,sku\nshoe/000.jpg\n", "line 2: 1 values where the header names 2 columns"),
        ('file,sku\n"shoe/000.jpg"x,1\n', "line 2: "),
    ],
)
def test_a_wrong_table_names_line_and_column(photos, table, message):
    with pytest.raises(CatalogueError, match=r"catalogue\.csv, ") as error:
        list_photos(write_table(photos, table))
    assert message in str(error.value)


def test_a_table_in_another_encoding_names_the_line(photos):
    (photos / "catalogue.csv").write_bytes(b"file,sku\nshoe/000.jpg,\xe9\n")
    with pytest.raises(CatalogueError, match="line 2: not UTF-8"):
        list_photos(photos)


def test_no_folder_and_no_images_are_told(tmp_path):
    with pytest.raises(CatalogueError, match="holds no images; expected CATEGORY"):
        list_photos(tmp_path)
    with pytest.raises(CatalogueError, match="is not a folder"):
        list_photos(tmp_path / "none")
