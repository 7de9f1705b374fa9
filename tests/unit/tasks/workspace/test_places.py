"""Paths as records keep them: relative to a home that may move."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from models.errors import CatalogueError, InputError
from tasks.workspace.places import (
    HomePath,
    check_relative,
    locate,
    open_unlinked,
    place_inside,
    refuse_leaving,
    shorten,
)

HOME = Path("/shop/.packshot")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/shop/.packshot/trainings/k", "trainings/k"),
        ("/shop/packshots/a b.png", "../packshots/a b.png"),
        ("/elsewhere/包", "../../elsewhere/包"),
        ("/shop/.packshot", "."),
    ],
)
def test_a_path_has_a_name_from_home_and_is_found_by_it(path, name):
    assert shorten(HOME, Path(path)) == name
    assert locate(HOME, name) == Path(path)


def test_an_absolute_path_of_an_older_record_is_itself():
    assert locate(HOME, "/old/place/report.json") == Path("/old/place/report.json")


class Kept(BaseModel):
    folder: HomePath


def test_a_record_moves_with_its_home():
    written = Kept(folder=HOME / "trainings" / "k").model_dump_json(context={"home": HOME})
    assert written == '{"folder":"trainings/k"}'
    moved = Path("/mnt/other")
    assert Kept.model_validate_json(written, context={"home": moved}).folder == moved / "trainings" / "k"


def test_without_a_home_a_path_stays_as_it_is():
    kept = Kept(folder=HOME / "trainings")
    assert kept.model_dump_json() == f'{{"folder":"{HOME}/trainings"}}'
    assert Kept.model_validate_json(kept.model_dump_json()) == kept
    assert kept.model_dump()["folder"] == HOME / "trainings"  # a path for Python, a name in JSON alone


LEAVING = (
    *("", ".", "..", "/etc/passwd", "../x", "a/../../x", "a/..", "a//b", "a/", "./a", "a/./b"),
    *(
        "a\\b",
        "..\\x",
        "\\\\host\\share",
        "a\0b",
        "C:",
        "C:/x",
        "c:x",
        "a/d:b",
        "nul",
        "NUL.jpg",
        "a/con/b",
        "com1.txt",
    ),
)


@pytest.mark.parametrize("name", LEAVING)
def test_a_foreign_name_that_leaves_its_folder_is_refused_with_the_reason(tmp_path, name):
    assert check_relative(name)
    with pytest.raises(InputError, match=r"^path: got .*, allowed: a path inside .*, but it "):
        place_inside(tmp_path, name)


@pytest.mark.parametrize("name", ["a", "a/b.jpg", "größe/包 1.jpg", "..a", "a..b/c", ".hidden", "-x", "console.jpg"])
def test_any_other_name_is_a_place_in_its_folder(tmp_path, name):
    assert place_inside(tmp_path, name) == tmp_path / name


def test_a_link_on_the_way_is_refused_and_the_folder_itself_may_be_one(tmp_path):
    (tmp_path / "real" / "in").mkdir(parents=True)
    (tmp_path / "root").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "out").symlink_to(tmp_path)
    (tmp_path / "real" / "in" / "file").symlink_to("/nowhere")
    assert place_inside(tmp_path / "root", "in/x") == tmp_path / "root" / "in" / "x"
    for name in ("out", "out/x", "in/file"):
        with pytest.raises(InputError, match=r"without links, but .* is one"):
            place_inside(tmp_path / "root", name)


def test_a_state_file_is_never_opened_through_a_link(tmp_path):
    (tmp_path / "mine").write_text("kept")
    (tmp_path / "journal").symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match="symbolic links"), open(tmp_path / "journal", "w", opener=open_unlinked):
        pytest.fail("it was opened")
    assert (tmp_path / "mine").read_text() == "kept"


@pytest.mark.parametrize("target", ["/etc/passwd", "../other.jpg", "nothing.jpg", "/", "."])
def test_a_link_out_of_a_catalogue_is_refused_and_named(tmp_path, target):
    shop = tmp_path / "shop"
    (shop / "shoe").mkdir(parents=True)
    (tmp_path / "other.jpg").touch()
    (shop / "shoe" / "a.jpg").touch()
    (shop / "b.jpg").symlink_to("shoe/a.jpg")
    (shop / ".hidden").symlink_to("/etc/passwd")
    refuse_leaving(shop)
    link = shop / "shoe" / "x.jpg"
    link.symlink_to(tmp_path / "other.jpg" if target.startswith("..") else target)
    with pytest.raises(CatalogueError, match=rf"^{link} is a link to "):
        refuse_leaving(shop)
