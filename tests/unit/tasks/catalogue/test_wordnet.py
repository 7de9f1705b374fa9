import pytest

from models.errors import CatalogueError
from tasks.catalogue.listing import list_photos
from tasks.catalogue.table import read_catalogue
from tasks.catalogue.wordnet import name_categories
from tasks.dataset.splits import assign_splits
from tests.catalogues import make_photo, write_photos

TENCH, CRANE, MACHINE = "n01440764", "n02012849", "n03126707"
NAMES = f"{TENCH} tench, Tinca tinca\n{CRANE} crane\n\n{MACHINE} crane\nn09999999 never seen\n"


@pytest.fixture
def imagenet(tmp_path):
    """Three categories by WordNet id, in train and val, with the suffix that ImageNet has."""
    folder = write_photos(tmp_path / "imagenet", [TENCH, CRANE, MACHINE], 3, ["train", "val"])
    for path in folder.rglob("*.jpg"):
        path.rename(path.with_suffix(".JPEG"))
    return folder


def found(folder):
    return sorted({(row.category, row.split) for row in list_photos(folder)})


@pytest.mark.parametrize("table", ["LOC_synset_mapping.txt", "words.txt", "classes.txt"])
@pytest.mark.parametrize("gap", [" ", "\t"])
def test_ids_are_shown_by_name_and_splits_come_from_folders(imagenet, table, gap):
    (imagenet / table).write_text(NAMES.replace(" ", gap, 1))
    names = ["crane (n02012849)", "crane (n03126707)", "tench"]
    assert found(imagenet) == [(name, split) for name in names for split in ("train", "validation")]
    assert {row.sku for row in list_photos(imagenet)} >= {f"train/{TENCH}/000", f"val/{CRANE}/002"}


def test_ids_without_a_table_or_a_line_keep_their_id(imagenet):
    assert {category for category, _ in found(imagenet)} == {TENCH, CRANE, MACHINE}
    (imagenet / "words.txt").write_text(f"{TENCH}\ttench\n")
    assert {category for category, _ in found(imagenet)} == {"tench", CRANE, MACHINE}


def test_a_catalogues_own_word_comes_first(imagenet):
    (imagenet / "words.txt").write_text(NAMES)
    (imagenet / "catalogue.csv").write_text(f"file,category\ntrain/{TENCH}/000.JPEG,fish\n")
    assert ("fish", "train") in found(imagenet)


def test_a_test_split_is_cut_from_train(imagenet):
    table = read_catalogue(imagenet, "imagenet").table
    splits = assign_splits(table, 0.1, 0.3)
    assert (splits[table["split"] == "validation"] == "validation").all()
    assert set(splits[table["split"] == "train"]) == {"train", "test"}


def test_a_flat_split_is_refused_with_the_way_out(imagenet):
    for number in range(2):
        make_photo(number).save(imagenet / "val" / f"ILSVRC2012_val_{number}.JPEG", "JPEG")
    with pytest.raises(CatalogueError, match=r"val holds 2 files in no category folder: sort them into val/CATEGORY/"):
        list_photos(imagenet)
    rows = [f"val/ILSVRC2012_val_{number}.JPEG,{TENCH},val" for number in range(2)]
    (imagenet / "catalogue.csv").write_text("\n".join(["file,category,split", *rows]))
    assert len(list_photos(imagenet)) == 20


def test_a_wrong_line_is_named(imagenet):
    (imagenet / "words.txt").write_text("\n1,tench\n")
    with pytest.raises(CatalogueError, match=r"words\.txt, line 2: '1,tench', expected a WordNet id and names"):
        list_photos(imagenet)
    (imagenet / "words.txt").write_bytes(b"n01440764 t\xe9nch")
    with pytest.raises(CatalogueError, match="not UTF-8"):
        list_photos(imagenet)


def test_a_table_beside_folders_of_other_names_means_nothing(tmp_path):
    folder = write_photos(tmp_path, ["hat"], 1)
    (folder / "classes.txt").write_text("hat\n")
    assert found(folder) == [("hat", "")]


def test_only_ids_are_named_by_the_first_table_there_is(tmp_path):
    assert name_categories(tmp_path, [TENCH]) == {}
    (tmp_path / "classes.txt").write_text(f"{TENCH} last\n")
    (tmp_path / "words.txt").write_text(f"{TENCH} tench, Tinca tinca\n{CRANE} crane\n")
    assert name_categories(tmp_path, [TENCH, "shirt", "n123"]) == {TENCH: "tench"}
    assert name_categories(tmp_path, ["shirt"]) == {}
    (tmp_path / "words.txt").write_bytes(b"\xef\xbb\xbf" + f"{TENCH} tench\n".encode())  # as some editors save
    assert name_categories(tmp_path, [TENCH]) == {TENCH: "tench"}
