"""Which files of a folder are edited, and what the results are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InputError
from tasks.photos.folders import find_pictures, name_outputs


def fill(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_pictures_of_sub_folders_are_found_and_others_counted(tmp_path):
    fill(
        tmp_path, "b.JPG", "shoes/a b.png", "schöne Fotos/包.webp", "notes.txt", ".hidden.jpg", ".git/x.png", "logo.svg"
    )
    found = find_pictures(tmp_path, tmp_path / "out")
    assert found.pictures == ["b.JPG", "logo.svg", "schöne Fotos/包.webp", "shoes/a b.png"]
    assert found.others == 1


def test_the_folder_of_results_is_not_edited_again(tmp_path):
    fill(tmp_path, "a.jpg", "edited/a.png")
    assert find_pictures(tmp_path, tmp_path / "edited").pictures == ["a.jpg"]


def test_a_folder_without_pictures_is_named(tmp_path):
    fill(tmp_path, "notes.txt")
    with pytest.raises(InputError, match=f"^IN: got '{tmp_path}', allowed: a photograph, or a folder that holds some"):
        find_pictures(tmp_path, tmp_path / "out")


def test_two_that_would_have_one_name_keep_their_whole_names():
    named = name_outputs(["a.jpg", "a.png", "b/a.png", "c.d.jpg"], ".png", {})
    assert named == {"a.jpg": "a.jpg.png", "a.png": "a.png.png", "b/a.png": "b/a.png", "c.d.jpg": "c.d.png"}


def test_a_name_that_differs_in_case_alone_is_another_ones_where_case_does_not_count():
    assert name_outputs(["A.jpg", "a.jpg"], ".png", {}) == {"A.jpg": "A.jpg.png", "a.jpg": "a.jpg-2.png"}


def test_a_picture_that_was_edited_before_keeps_its_name():
    assert name_outputs(["a.jpg", "a.png"], ".png", {"a.jpg": "a.png"}) == {"a.jpg": "a.png", "a.png": "a.png.png"}
    assert name_outputs(["a.jpg"], ".webp", {"a.jpg": "a.png"}) == {"a.jpg": "a.webp"}


SUFFIXES = st.lists(st.sampled_from((".jpg", ".png", ".JPG")), min_size=1, max_size=3)
NAMES = st.lists(
    st.builds(lambda stem, ends: stem + "".join(ends), st.sampled_from("aAb"), SUFFIXES), unique=True, max_size=12
)


@given(NAMES, st.integers(0, 12))
def test_no_two_results_have_one_name(pictures, before):
    kept = name_outputs(pictures[:before], ".png", {})
    named = name_outputs(pictures, ".png", kept)
    assert list(named) == pictures
    assert len({name.casefold() for name in named.values()}) == len(pictures)
    assert all(named[one] == kept[one] for one in kept)
