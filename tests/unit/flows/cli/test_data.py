"""`packshot data`: what was added, changed and removed, each file by its name, and the versions that there are."""

import pytest

from flows.cli.data import add_data, fetch_data, list_data
from models.errors import InputError
from tests.catalogues import commit_all, make_checkout, make_photo, write_photos
from tests.terminal import terminal


@pytest.fixture
def settings(tmp_path):
    return make_checkout(tmp_path / "checkout")


@pytest.fixture
def told(settings, capsys):
    """Run one of the commands, and give the lines that it printed."""
    with terminal(capsys, ROOT=settings.root, HOME=settings.home):

        def tell(command, *arguments):
            command(*arguments)
            return capsys.readouterr().out.splitlines()

        yield tell


def test_a_folder_is_added_and_then_what_differs(told, settings, tmp_path):
    shop = write_photos(tmp_path / "shop", count=6)
    lines = told(add_data, shop, "shop", False)
    assert lines[0] == "shop: 12 added, 0 changed, 0 removed, 0 unchanged"
    assert lines[1:11] == [f"  + shirt/{n:03d}.jpg" for n in range(6)] + [f"  + shoe/{n:03d}.jpg" for n in range(4)]
    assert lines[11] == "  + and 2 more"
    assert lines[12].endswith(", 12 images; commit data.dvc to keep it")
    commit_all(settings.root, "shop")

    make_photo(99).save(shop / "shirt" / "000.jpg")
    (shop / "shoe" / "005.jpg").unlink()
    make_photo(98).save(shop / "shoe" / "new.jpg")
    lines = told(add_data, shop, "shop", False)
    assert lines[0] == "shop: 1 added, 1 changed, 1 removed, 10 unchanged"
    assert lines[1:4] == ["  + shoe/new.jpg", "  ~ shirt/000.jpg", "  - shoe/005.jpg"]

    listed = told(list_data, None)
    assert [line.split()[0] for line in listed if "MiB" in line] == ["shop", "shop"]
    assert any("working tree" in line for line in listed)
    assert "12 images" in " ".join(told(fetch_data, "shop"))


def test_an_unknown_catalogue_is_answered_with_those_there_are(told, tmp_path):
    told(add_data, write_photos(tmp_path / "shop", count=1), "shop", False)
    with pytest.raises(InputError, match=r"^catalogue: got 'shoes', allowed: .*shop"):
        fetch_data("shoes")
