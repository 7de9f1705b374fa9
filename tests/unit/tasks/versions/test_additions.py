import shutil

import pytest

from models.errors import CatalogueError, InputError
from tasks.versions.additions import add_folder
from tasks.versions.ingest import ingest_catalogue
from tasks.versions.pins import read_pin
from tasks.versions.repository import open_repository
from tasks.versions.resolution import list_versions, resolve_version
from tests.catalogues import (
    clone_checkout,
    commit_all,
    make_checkout,
    make_photo,
    run_git,
    write_cifar,
    write_fashion_mnist,
    write_photos,
)

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # DVC's use of pygtrie


@pytest.fixture
def checkout(tmp_path):
    """A checkout that pins a catalogue `old`."""
    settings = make_checkout(tmp_path / "checkout")
    write_photos(settings.data / "old", count=1, seed=50)
    with open_repository(settings) as repository:
        repository.commit()
    commit_all(settings.root, "old")
    return settings


@pytest.fixture
def photos(tmp_path):
    folder = write_photos(tmp_path / "photos", count=2)
    (folder / ".hidden").write_text("x")
    return folder


def test_a_new_catalogue_is_copied_and_pinned(checkout, photos):
    report = add_folder(checkout, photos, "shop")
    assert report.added == ["shirt/000.jpg", "shirt/001.jpg", "shoe/000.jpg", "shoe/001.jpg"]
    assert (report.removed, report.changed, report.unchanged) == ([], [], 0)
    assert (report.version.images, report.version.folder) == (4, checkout.data / "shop")
    assert run_git(checkout.root, "status", "--short") == " M data.dvc\n"
    assert ingest_catalogue(checkout, "shop").md5 == report.version.md5
    assert ingest_catalogue(checkout, "old").images == 2


def test_a_changed_folder_says_what_changed_and_keeps_the_old_version(checkout, photos):
    first = add_folder(checkout, photos, "shop").version
    (photos / "shirt" / "000.jpg").unlink()
    make_photo(70).save(photos / "shirt" / "001.jpg")
    make_photo(71).save(photos / "shoe" / "new.jpg")
    report = add_folder(checkout, photos, "shop")
    assert (report.added, report.removed, report.changed) == (["shoe/new.jpg"], ["shirt/000.jpg"], ["shirt/001.jpg"])
    assert report.unchanged == 2
    assert [version.md5 for version in list_versions(checkout, "shop")] == [report.version.md5, first.md5]
    assert (resolve_version(checkout, "shop", first.md5).folder / "shirt" / "000.jpg").exists()


def test_what_was_in_data_and_never_pinned_is_kept_too(checkout, photos):
    write_photos(checkout.data / "shop", ["hat"], 1, seed=90)
    unpinned = resolve_version(checkout, "shop")
    assert add_folder(checkout, photos, "shop").removed == ["hat/000.jpg"]
    assert (resolve_version(checkout, "shop", unpinned.md5).folder / "hat" / "000.jpg").exists()


def test_the_same_folder_again_changes_nothing(checkout, photos):
    first = add_folder(checkout, photos, "shop")
    pin = read_pin(checkout.root)
    again = add_folder(checkout, photos, "shop")
    assert (again.added, again.removed, again.changed, again.unchanged) == ([], [], [], 4)
    assert (again.version.md5, read_pin(checkout.root)) == (first.version.md5, pin)


def test_links_share_the_files(checkout, photos):
    add_folder(checkout, photos, "shop", link=True)
    assert (photos / "shoe" / "000.jpg").samefile(checkout.data / "shop" / "shoe" / "000.jpg")
    assert photos.joinpath("shoe", "000.jpg").stat().st_mode & 0o200


def test_leftovers_of_a_killed_addition_are_cleared(checkout, photos):
    write_photos(checkout.data / ".shop.part", ["hat"], 1)
    assert add_folder(checkout, photos, "shop").version.images == 4
    assert sorted(path.name for path in checkout.data.iterdir()) == ["old", "shop"]


def test_the_first_catalogue_of_all(tmp_path, photos):
    settings = make_checkout(tmp_path / "empty")
    assert add_folder(settings, photos, "shop").version.images == 4
    assert (settings.root / "data.dvc").exists()


def test_a_folder_of_idx_files_is_a_catalogue(checkout, tmp_path):
    assert add_folder(checkout, write_fashion_mnist(tmp_path / "idx", 1, 1), "tiny").version.images == 20


def test_cifars_files_can_be_added_by_hand(checkout, photos, tmp_path):
    assert add_folder(checkout, write_cifar(tmp_path / "batches"), "cifar-10").version.images == 60
    assert ingest_catalogue(checkout, "cifar-10").source == "already in data/"
    with pytest.raises(InputError, match=r"any other name for a folder without cifar-10's \*_batch"):
        add_folder(checkout, photos, "cifar-10")


def test_a_fresh_clone_can_add_to_what_it_has_in_place(checkout, photos, tmp_path):
    clone = clone_checkout(checkout, tmp_path / "clone")
    with pytest.raises(CatalogueError, match="no source could deliver fashion-mnist"):
        add_folder(clone, photos, "shop")
    shutil.copytree(checkout.data / "old", clone.data / "old")
    report = add_folder(clone, photos, "shop")
    assert (report.version.images, ingest_catalogue(clone, "old").images) == (4, 2)


def test_another_catalogue_that_drifted_stops_the_addition(checkout, photos):
    (checkout.data / "old" / "shoe" / "000.jpg").write_bytes(b"changed by hand")
    with pytest.raises(CatalogueError, match=r"data/old is not what data\.dvc pins: 1 changed \(shoe/000\.jpg\)"):
        add_folder(checkout, photos, "shop")
    assert not (checkout.data / "shop").exists()


def test_a_pinned_catalogue_that_is_not_in_place_stays_pinned(checkout, photos):
    before = resolve_version(checkout, "old").md5
    (checkout.data / "old").rename(checkout.root / ".packshot" / "away")
    add_folder(checkout, photos, "shop")
    assert ingest_catalogue(checkout, "old").md5 == before


def test_bad_names_and_folders_are_refused(checkout, photos, tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.txt").write_text("x")
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "data_batch_1").write_bytes(b"x")
    refused = [
        (photos, "Shop", "catalogue: got 'Shop', allowed: lower-case"),
        (photos, "fashion-mnist", "any other name; fashion-mnist is fetched and never replaced"),
        (tmp_path / "none", "shop", "allowed: a folder that exists"),
        (tmp_path / "texts", "shop", "allowed: a folder with images"),
        (tmp_path / "pickled", "cifar", "CIFAR-10's binary version .* the pickled one is never read"),
        (checkout.data / "old", "shop", r"allowed: a folder outside of data/"),
    ]
    for folder, name, message in refused:
        with pytest.raises(InputError, match=message):
            add_folder(checkout, folder, name)
    assert run_git(checkout.root, "status", "--short") == ""


@pytest.mark.parametrize("name", ["shirt/x.jpg", "note.txt", "more"])
@pytest.mark.parametrize("link", [False, True])
def test_a_link_out_of_the_folder_is_refused_and_named(checkout, photos, name, link):
    (photos / name).symlink_to("/etc" if name == "more" else "/etc/passwd")
    before = read_pin(checkout.root)
    with pytest.raises(CatalogueError, match=rf"^{photos / name} is a link to "):
        add_folder(checkout, photos, "shop", link)
    assert (read_pin(checkout.root), (checkout.data / "shop").exists()) == (before, False)


def test_a_link_within_the_folder_is_copied_as_a_file(checkout, photos):
    (photos / "shirt" / "same.jpg").symlink_to("000.jpg")
    add_folder(checkout, photos, "shop")
    copied = checkout.data / "shop" / "shirt" / "same.jpg"
    assert (copied.is_symlink(), copied.read_bytes()) == (False, (photos / "shirt" / "000.jpg").read_bytes())


def test_a_link_that_was_put_into_data_is_neither_pinned_nor_read(checkout, photos):
    add_folder(checkout, photos, "shop")
    (checkout.data / "shop" / "shirt" / "x.jpg").symlink_to("/etc/passwd")
    for attack in (lambda: ingest_catalogue(checkout, "shop"), lambda: add_folder(checkout, photos, "more")):
        with pytest.raises(CatalogueError, match=r"x\.jpg is a link to "):
            attack()


@pytest.mark.parametrize(
    "name", ["-x", "--name", "", ".", "..", "a/b", "A", "a_b", "a b", "a.b", "nul", "x" * 101, "é"]
)
def test_a_name_that_is_none_is_refused(checkout, photos, name):
    with pytest.raises(InputError, match=r"^catalogue: got .*, allowed: lower-case letters, digits and hyphens"):
        add_folder(checkout, photos, name)
