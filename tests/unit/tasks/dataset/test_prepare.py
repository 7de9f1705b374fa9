"""Preparation: equal bytes for equal inputs, no product in two splits, and refusals that name what is wrong."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError

from models.errors import CatalogueError, InputError, StorageError
from tasks.catalogue.table import read_catalogue
from tasks.dataset.prepare import PrepareConfig, check_categories, prepare_catalogue
from tasks.dataset.prepared import SPLITS
from tasks.workspace.settings import Settings
from tests.catalogues import write_cifar, write_fashion_mnist, write_photos

MD5 = "0" * 32


@pytest.fixture
def settings(tmp_path):
    return Settings(root=tmp_path)


@pytest.fixture(scope="module")
def fashion(tmp_path_factory):
    return read_catalogue(write_fashion_mnist(tmp_path_factory.mktemp("fm") / "fashion-mnist", 20, 10), "fashion-mnist")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return read_catalogue(write_photos(tmp_path_factory.mktemp("shop") / "shop", count=30), "shop")


def test_fashion_mnist_is_padded_with_its_background(fashion, settings):
    prepared = prepare_catalogue(fashion, MD5, PrepareConfig(background=0), [], settings.home)
    assert prepared.shape == (32, 32, 1)
    images = prepared.images("test")
    assert isinstance(images, np.memmap)
    rows = fashion.table.index[fashion.table["sku"] == prepared.skus("test")[0]]
    assert np.array_equal(images[0, 2:30, 2:30, 0], fashion.pixels[rows[0]])
    assert images[:, :2].max() == images[:, 30:].max() == 0
    assert prepared.count == len(fashion.table) - prepared.meta.dropped


def test_labels_and_skus_are_aligned_with_the_table(fashion, settings):
    prepared = prepare_catalogue(fashion, MD5, PrepareConfig(), [], settings.home)
    category = fashion.table.set_index("sku")["category"]
    for split in SPLITS:
        labels = prepared.labels(split)
        assert labels.dtype == np.int64
        assert [prepared.categories[label] for label in labels] == [category[sku] for sku in prepared.skus(split)]
    assert all(sku.startswith("test") for sku in prepared.skus("test"))


def test_equal_inputs_give_equal_bytes_and_the_same_folder_is_reused(fashion, tmp_path):
    one = prepare_catalogue(fashion, MD5, PrepareConfig(), [], Settings(root=tmp_path / "a").home)
    two = prepare_catalogue(fashion, MD5, PrepareConfig(), [], Settings(root=tmp_path / "b").home)
    assert one.key == two.key
    for path in one.folder.iterdir():
        assert path.read_bytes() == (two.folder / path.name).read_bytes()
    stamp = (one.folder / "meta.json").stat().st_mtime_ns
    assert prepare_catalogue(fashion, MD5, PrepareConfig(), [], Settings(root=tmp_path / "a").home).folder == one.folder
    assert (one.folder / "meta.json").stat().st_mtime_ns == stamp


def test_every_input_changes_the_key(fashion, settings):
    base = prepare_catalogue(fashion, MD5, PrepareConfig(), [], settings.home)
    sku = base.skus("train")[0]
    others = [
        prepare_catalogue(fashion, "1" * 32, PrepareConfig(), [], settings.home),
        prepare_catalogue(fashion, MD5, PrepareConfig(size=40), [], settings.home),
        prepare_catalogue(fashion, MD5, PrepareConfig(), [sku], settings.home),
    ]
    assert len({base.key, *(other.key for other in others)}) == 4
    assert sku not in others[2].skus("train")
    assert others[2].meta.excluded == 1


def test_photos_become_colour_squares_and_every_category_is_in_every_split(photos, settings):
    prepared = prepare_catalogue(photos, MD5, PrepareConfig(size=24), [], settings.home)
    assert prepared.shape == (24, 24, 3)
    for split in SPLITS:
        assert set(prepared.labels(split)) == {0, 1}
    assert [warning.split()[1] for warning in prepared.meta.warnings] == ["shirt", "shoe"]


def test_grey_photos_have_one_channel_unless_three_are_wanted(tmp_path, settings):
    folder = write_photos(tmp_path / "grey", count=20)
    for path in folder.rglob("*.jpg"):
        with Image.open(path) as image:
            image.convert("L").save(path)
    catalogue = read_catalogue(folder, "grey")
    assert prepare_catalogue(catalogue, MD5, PrepareConfig(), [], settings.home).shape[2] == 1
    assert prepare_catalogue(catalogue, MD5, PrepareConfig(channels=3), [], settings.home).shape[2] == 3


def test_cifars_colours_are_kept_and_the_sides_fit(tmp_path, settings):
    catalogue = read_catalogue(write_cifar(tmp_path / "cifar-10", 4), "cifar-10")
    prepared = prepare_catalogue(catalogue, MD5, PrepareConfig(), [], settings.home)
    row = catalogue.table.index[catalogue.table["sku"] == prepared.skus("test")[3]][0]
    assert prepared.shape == (32, 32, 3)
    assert np.array_equal(prepared.images("test")[3], catalogue.pixels[row])
    assert (prepared.meta.counts["test"], set(prepared.labels("validation"))) == (40, set(range(10)))
    grey = prepare_catalogue(catalogue, MD5, PrepareConfig(channels=1, size=16), [], settings.home).images("test")
    assert grey.shape == (40, 16, 16, 1)


def test_too_few_images_are_refused_by_category_and_count(tmp_path, settings):
    catalogue = read_catalogue(write_photos(tmp_path / "few", count=19), "few")
    with pytest.raises(CatalogueError, match=r"at least 20 images: shirt has 19, shoe has 19"):
        prepare_catalogue(catalogue, MD5, PrepareConfig(), [], settings.home)
    assert not list((settings.home / "prepared").glob("*/"))


@pytest.mark.parametrize(
    ("count", "warned"), [(20, ["category hat has 20 images; below 200 expect poor results"]), (200, [])]
)
def test_few_images_are_warned_about_by_category_and_count(count, warned):
    table = pd.DataFrame({"category": ["hat"] * count + ["shoe"] * 300, "problem": "", "file": "x.jpg"})
    assert check_categories("shop", table) == warned
    with pytest.raises(CatalogueError, match="catalogue shop: a category needs at least 20 images: hat has 19"):
        check_categories("shop", table.iloc[count - 19 :])


def test_an_undecodable_image_is_refused_by_file(tmp_path, settings):
    folder = write_photos(tmp_path / "bad", count=20)
    bad = sorted(folder.rglob("*.jpg"))[0]
    bad.write_bytes(b"")
    with pytest.raises(CatalogueError, match=rf"1 images cannot be decoded, first shirt/{bad.name}: empty"):
        prepare_catalogue(read_catalogue(folder, "bad"), MD5, PrepareConfig(), [], settings.home)


def test_a_folder_that_cannot_be_written_is_one_clear_error(fashion, tmp_path):
    (tmp_path / ".packshot").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        prepare_catalogue(fashion, MD5, PrepareConfig(), [], Settings(root=tmp_path).home)


@pytest.mark.parametrize("wrong", [{"size": 4}, {"background": 256}, {"channels": 2}, {"colour": 1}])
def test_a_wrong_parameter_is_refused_by_name(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        PrepareConfig(**wrong)


def test_a_view_shows_some_categories_under_its_own_name(fashion, settings):
    whole = prepare_catalogue(fashion, MD5, PrepareConfig(), [], settings.home)
    wanted = ("Ankle boot", "Bag")
    config = PrepareConfig(categories=wanted, of="fashion-mnist", name="bags-and-boots")
    left_out = [whole.skus("train")[0], next(sku for sku in whole.skus("train") if _category(fashion, sku) in wanted)]
    view = prepare_catalogue(fashion, MD5, config, left_out, settings.home)
    assert (view.catalogue, view.source, view.categories) == ("bags-and-boots", "fashion-mnist", list(wanted))
    assert (whole.catalogue, whole.source) == ("fashion-mnist", "fashion-mnist")
    for split in SPLITS:
        shown = [sku for sku in view.skus(split) if _category(fashion, sku) not in wanted]
        assert not shown
        assert [view.categories[label] for label in view.labels(split)] == [
            _category(fashion, sku) for sku in view.skus(split)
        ]
    assert view.meta.excluded == sum(_category(fashion, sku) in wanted for sku in left_out)


def _category(catalogue, sku):
    return catalogue.table.set_index("sku")["category"][sku]


def test_unknown_categories_are_named_with_those_there_are(photos, settings):
    with pytest.raises(InputError, match=r"prepare\.categories: got 'sofa', allowed: one of shirt, shoe"):
        prepare_catalogue(photos, MD5, PrepareConfig(categories=("shirt", "sofa")), [], settings.home)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"categories": ["shoe"]}, "at least 2"),
        ({"name": "boots"}, "which catalogue this is a view of"),
        ({"of": "../shop", "name": "boots"}, "pattern"),
    ],
)
def test_a_view_that_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(ValidationError, match=said):
        PrepareConfig(**wrong)


def test_grey_images_can_be_given_three_equal_channels(fashion, settings):
    colour = prepare_catalogue(fashion, MD5, PrepareConfig(channels=3), [], settings.home)
    grey = prepare_catalogue(fashion, MD5, PrepareConfig(), [], settings.home)
    assert colour.shape == (32, 32, 3)
    assert np.array_equal(colour.images("test"), np.repeat(grey.images("test"), 3, axis=3))
