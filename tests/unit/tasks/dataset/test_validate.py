"""Validation: real Great Expectations over tiny real catalogues; every failing image is named."""

import json
from pathlib import Path

import pytest
from PIL import Image

from models.errors import ValidationFailed
from tasks.catalogue.table import COLUMNS, Catalogue, read_catalogue
from tasks.dataset.suite import Suite
from tasks.dataset.validate import (
    SUITES,
    ValidationReport,
    complete_table,
    require_valid,
    suite_path,
    validate_catalogue,
)
from tasks.workspace.settings import Settings
from tests.catalogues import write_cifar, write_fashion_mnist, write_photos

# great_expectations itself imports deprecated modules.
pytestmark = [
    pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning"),
]
MD5 = "0" * 32


@pytest.fixture
def settings(tmp_path):
    return Settings(root=tmp_path)


@pytest.fixture
def shop(tmp_path):
    return write_photos(tmp_path / "shop", count=25)


@pytest.fixture
def no_docs(monkeypatch):
    """Their pages take most of a judgement's time, and are looked at in other tests."""
    monkeypatch.setattr(Suite, "write_docs", lambda suite: suite.docs / "index.html")


def judge(folder: Path, settings: Settings, **options) -> ValidationReport:
    return validate_catalogue(read_catalogue(folder, folder.name), MD5, settings.home, **options)


def found(report: ValidationReport) -> dict[str, str]:
    return {failure.file: failure.found for failure in report.failures}


@pytest.mark.parametrize("kind", ["fashion-mnist", "cifar-10", "photos"])
def test_suites_are_readable_and_say_why(kind):
    suite = json.loads((SUITES / f"{kind}.json").read_text())
    assert suite["name"] == kind
    assert all(one["description"] and one["meta"]["notes"] for one in suite["expectations"])
    assert set(suite["expectations"][0]["kwargs"]["column_set"]) == set(COLUMNS)


@pytest.mark.usefixtures("no_docs")
def test_a_small_fashion_mnist_passes(tmp_path, settings):
    folder = write_fashion_mnist(tmp_path / "fashion-mnist", 20, 10)
    report = judge(folder, settings)
    require_valid(report)
    assert suite_path(folder).name == "fashion-mnist.json"
    assert report.evaluated == 300
    assert report.contact_sheet is None
    assert report.failures == report.quarantined == []


@pytest.mark.usefixtures("no_docs")
def test_a_small_cifar_passes(tmp_path, settings):
    folder = write_cifar(tmp_path / "cifar-10", 4)
    report = judge(folder, settings)
    require_valid(report)
    assert suite_path(folder).name == "cifar-10.json"
    assert (report.evaluated, report.failures) == (240, [])


def test_a_good_catalogue_leaves_a_report_and_data_docs(shop, settings):
    report = judge(shop, settings)
    require_valid(report)
    folder = settings.home / "validations" / report.key
    kept = (folder / "report.json").read_text()
    assert ValidationReport.model_validate_json(kept, context={"home": settings.home}) == report
    assert str(settings.home) not in kept, "a home can move"
    assert report.data_docs == folder / "data-docs" / "index.html"
    pages = list((folder / "data-docs" / "validations").rglob("*.html"))
    assert len(pages) == 1
    assert "every image can be decoded" in pages[0].read_text()


def test_failing_images_are_named_with_what_was_found(shop, settings):
    files = sorted(shop.rglob("*.jpg"))
    names = [str(path.relative_to(shop)) for path in files]
    files[0].write_bytes(b"")
    Image.new("RGB", (64, 64), "white").save(files[1])
    files[3].write_bytes(files[2].read_bytes())
    Image.radial_gradient("L").convert("CMYK").save(files[4])
    Image.radial_gradient("L").resize((20, 64)).convert("RGB").save(files[5])
    report = judge(shop, settings)
    assert not report.success
    named = found(report)
    assert set(named) == {names[0], names[1], names[3], names[4], names[5]}
    assert named[names[0]] == "empty: 0 bytes"
    assert named[names[1]] == "standard deviation 0.0"
    assert named[names[3]].startswith("same pixels as ")
    assert named[names[4]] == "mode CMYK"
    assert named[names[5]] == "20 pixels wide"
    with Image.open(report.contact_sheet) as sheet:
        assert sheet.width > 500
    with pytest.raises(ValidationFailed, match=r"expectations failed, 6 failures, first: .*empty: 0 bytes") as error:
        require_valid(report)
    assert "\n" not in str(error.value)
    assert str(report.data_docs) in str(error.value)
    assert str(report.contact_sheet) in str(error.value)


def test_quarantine_sets_failing_rows_aside_and_goes_on(shop, settings):
    bad = sorted(shop.rglob("*.jpg"))[0]
    bad.write_bytes(b"not an image")
    report = judge(shop, settings, quarantine=True, max_quarantined=0.02)
    require_valid(report)
    assert report.quarantined == [failure.sku for failure in report.failures]
    assert len(report.quarantined) == 1
    assert bad.exists()
    assert len(list((report.data_docs.parent / "validations").rglob("*.html"))) == 2


@pytest.mark.usefixtures("no_docs")
def test_quarantine_refuses_more_than_its_share(shop, settings):
    for bad in sorted(shop.rglob("*.jpg"))[:2]:
        bad.write_bytes(b"")
    report = judge(shop, settings, quarantine=True, max_quarantined=0.02)
    assert report.quarantined == []
    with pytest.raises(ValidationFailed, match=r"4\.0% of the images \(2 of 50\), at most 2\.0%"):
        require_valid(report)


@pytest.mark.usefixtures("no_docs")
def test_one_category_fails_even_with_quarantine(tmp_path, settings):
    folder = write_photos(tmp_path / "one", categories=["hat"], count=25)
    report = judge(folder, settings, quarantine=True, max_quarantined=1.0)
    assert report.quarantined == []
    with pytest.raises(ValidationFailed, match="at least 2 categories: 1"):
        require_valid(report)


@pytest.mark.usefixtures("no_docs")
def test_a_small_category_is_named_and_never_set_aside(tmp_path, settings):
    folder = write_photos(tmp_path / "small", count=25)
    write_photos(folder, categories=["hat"], count=5, seed=900)
    report = judge(folder, settings, quarantine=True, max_quarantined=1.0)
    assert not report.success
    assert report.quarantined == []
    assert {failure.found for failure in report.failures} == {"category hat has 5 images"}


@pytest.mark.usefixtures("no_docs")
def test_a_product_in_two_splits_is_named(tmp_path, settings):
    catalogue = read_catalogue(write_photos(tmp_path / "shop", splits=("train", "test"), count=25), "shop")
    table = catalogue.table.copy()
    train, test = table.index[table["split"] == "train"][0], table.index[table["split"] == "test"][0]
    table.loc[test, "group"] = table.loc[train, "group"]
    report = validate_catalogue(Catalogue("shop", catalogue.folder, "photos", table), MD5, settings.home)
    assert {failure.sku for failure in report.failures} == {table.loc[train, "sku"], table.loc[test, "sku"]}
    assert {failure.found for failure in report.failures} == {"its product or a near duplicate is in 2 splits"}


@pytest.mark.usefixtures("no_docs")
def test_a_missing_fashion_mnist_category_is_a_failure_of_the_table(tmp_path, settings):
    catalogue = read_catalogue(write_fashion_mnist(tmp_path / "fm", 20, 10), "fm")
    keep = (catalogue.table["category"] != "Bag").to_numpy()
    table = catalogue.table[keep].reset_index(drop=True)
    report = validate_catalogue(
        Catalogue("fm", catalogue.folder, "fashion-mnist", table, catalogue.pixels[keep]), MD5, settings.home
    )
    (failed,) = [check for check in report.checks if "contain_set" in check.expectation]
    assert not failed.passed
    assert failed.observed == "missing: Bag"


@pytest.mark.usefixtures("no_docs")
def test_the_key_depends_on_data_and_quarantine(shop, settings):
    catalogue = read_catalogue(shop, "shop")
    keys = {
        validate_catalogue(catalogue, MD5, settings.home).key,
        validate_catalogue(catalogue, "1" * 32, settings.home).key,
        validate_catalogue(catalogue, MD5, settings.home, quarantine=True).key,
    }
    assert len(keys) == 3


def test_an_undecodable_row_is_blanked_so_that_it_fails_once(shop):
    sorted(shop.rglob("*.jpg"))[0].write_bytes(b"")
    table = complete_table(read_catalogue(shop, "shop").table)
    assert table.loc[0, ["mode", "width", "height", "frames", "mean", "std"]].isna().all()
    assert table.loc[1:, "width"].notna().all()
