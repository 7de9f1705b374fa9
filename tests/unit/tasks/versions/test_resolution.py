import shutil

import pytest

from models.errors import CatalogueError, InputError
from tasks.versions.repository import open_repository
from tasks.versions.resolution import check_name, list_versions, resolve_version
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


def pin(settings, message):
    with open_repository(settings) as repository:
        repository.commit()
    return commit_all(settings.root, message)


@pytest.fixture
def history(tmp_path):
    """A checkout with two committed versions of `shop` and one of `fashion`; and the two short shas."""
    settings = make_checkout(tmp_path / "checkout")
    write_photos(settings.data / "shop", count=2)
    write_fashion_mnist(settings.data / "fashion", 2, 1)
    write_cifar(settings.data / "cifar", 1)
    first = pin(settings, "first")
    make_photo(99).save(settings.data / "shop" / "shoe" / "new.jpg")
    return settings, first, pin(settings, "second")


def test_lists_versions_from_new_to_old(history):
    settings, first, second = history
    versions = list_versions(settings, "shop")
    assert [version.revision for version in versions] == [f"working tree, {second}", first]
    assert [version.images for version in versions] == [5, 4]
    sizes = [path.stat().st_size for path in (settings.data / "shop").rglob("*.jpg")]
    assert versions[0].bytes == sum(sizes)


def test_lists_all_catalogues(history):
    settings, _, _ = history
    assert {(version.name, version.images) for version in list_versions(settings)} == {
        ("shop", 5),
        ("shop", 4),
        ("fashion", 30),
        ("cifar", 60),
    }


def test_lists_what_only_the_cache_remembers(history):
    settings, _, second = history
    shutil.rmtree(settings.data / "shop" / "shoe")
    with open_repository(settings) as repository:
        repository.commit()
    run_git(settings.root, "checkout", "-q", "data.dvc")
    shutil.rmtree(settings.data)
    versions = list_versions(settings, "shop")
    assert [(version.images, version.revision) for version in versions] == [
        (5, second),
        (4, versions[1].revision),
        (2, ""),
    ]
    resolved = resolve_version(settings, "shop", versions[2].md5)
    assert sorted(path.name for path in resolved.folder.iterdir()) == ["shirt"]


def test_no_version_is_the_working_tree(history):
    settings, _, _ = history
    (settings.data / "shop" / "shoe" / "new.jpg").unlink()
    version = resolve_version(settings, "shop")
    assert (version.folder, version.revision, version.images) == (settings.data / "shop", "working tree", 4)


def test_a_revision_is_materialised_without_touching_the_working_tree(history):
    settings, first, _ = history
    before = sorted(settings.data.rglob("*"))
    version = resolve_version(settings, "shop", "HEAD~1")
    assert (version.revision, version.images) == (first, 4)
    assert version.folder == settings.home / "catalogues" / version.md5
    assert sorted(path.name for path in version.folder.rglob("*.jpg")) == ["000.jpg", "000.jpg", "001.jpg", "001.jpg"]
    assert all(path.stat().st_mode & 0o222 == 0 for path in version.folder.rglob("*.jpg"))
    assert sorted(settings.data.rglob("*")) == before
    assert run_git(settings.root, "status", "--short") == ""


def test_a_version_that_is_in_place_is_not_copied(history):
    settings, _, _ = history
    assert resolve_version(settings, "shop", "HEAD").folder == settings.data / "shop"
    assert resolve_version(settings, "fashion", "HEAD~1").folder == settings.data / "fashion"
    assert not (settings.home / "catalogues").exists()


def test_an_md5_or_its_beginning_is_a_version(history):
    settings, first, _ = history
    old = list_versions(settings, "shop")[1]
    for text in (old.md5, old.md5[:6], old.md5[:10].upper()):
        version = resolve_version(settings, "shop", text)
        assert (version.md5, version.revision, version.images) == (old.md5, first, 4)


def test_a_half_made_copy_is_made_again(history):
    settings, _, _ = history
    version = resolve_version(settings, "shop", "HEAD~1")
    partial = version.folder.with_name(f".{version.md5}.part")
    version.folder.rename(partial)
    (partial / "shoe" / "000.jpg").unlink()
    again = resolve_version(settings, "shop", "HEAD~1")
    assert (again, partial.exists()) == (version, False)


@pytest.mark.parametrize("wrong", ["v9", "123456", "abcde"])
def test_an_unknown_version_lists_the_known_ones(history, wrong):
    settings, first, second = history
    newest, oldest = list_versions(settings, "shop")
    with pytest.raises(InputError) as error:
        resolve_version(settings, "shop", wrong)
    assert str(error.value) == (
        f"data-version: got {wrong!r}, allowed: a git revision, or an md5 (6 digits or more) of shop's versions: "
        f"{newest.md5[:12]} (working tree, {second}), {oldest.md5[:12]} ({first})"
    )


def test_an_unknown_catalogue_lists_the_known_ones(history):
    settings, first, _ = history
    with pytest.raises(InputError, match="catalogue: got 'hats', allowed: one of cifar, fashion, shop"):
        resolve_version(settings, "hats")
    with pytest.raises(
        InputError, match=rf"catalogue \(at {first}\): got 'hats', allowed: one of cifar, fashion, shop"
    ):
        resolve_version(settings, "hats", first)


def test_a_clone_without_cache_and_remote_says_so(history, tmp_path):
    clone = clone_checkout(history[0], tmp_path / "clone")
    with pytest.raises(CatalogueError, match="which DVC's cache does not have, and no DVC remote is configured"):
        resolve_version(clone, "shop", "HEAD")
    assert list_versions(clone) == []


def test_a_revision_that_is_in_place_needs_no_cache(history):
    settings, _, second = history
    shutil.rmtree(settings.home)
    assert resolve_version(settings, "shop", second).folder == settings.data / "shop"


@pytest.mark.parametrize("name", ["", "Shop", "a/b", "../x", "a b", ".hidden"])
def test_names_that_are_no_folders_are_refused(name):
    with pytest.raises(InputError, match="allowed: lower-case letters, digits and hyphens"):
        check_name(name)
