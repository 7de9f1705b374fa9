import json

import pytest

from models.errors import CatalogueError
from tasks.versions.trees import Tree


def test_compare_tells_added_removed_changed_and_equal():
    older = Tree({"a/1.jpg": "x", "a/2.jpg": "y", "b/3.jpg": "z"})
    differences = older.compare(Tree({"a/1.jpg": "x", "a/2.jpg": "changed", "c/4.jpg": "w"}))
    assert differences == (["c/4.jpg"], ["b/3.jpg"], ["a/2.jpg"], 1)
    assert differences
    assert not older.compare(older)


def test_catalogue_takes_one_folder_and_not_its_namesakes():
    tree = Tree({"hat/x/1.jpg": "a", "hats/x/1.jpg": "b"})
    assert tree.catalogue("hat").files == {"x/1.jpg": "a"}
    assert tree.catalogue("none").files == {}
    assert tree.names() == ["hat", "hats"]


def test_only_folders_of_images_are_data():
    assert Tree({"shop/hat/1.jpg": "a", "fashion/t10k-images-idx3-ubyte": "b"}).is_data()
    assert not Tree({"train/images.npy": "a"}).is_data()
    assert not Tree({"shop/hat/1.jpg": "a", "index.json": "b"}).is_data()
    assert not Tree({}).is_data()


MD5 = "0" * 32


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "a\\..\\x", "", "a\0b", "C:/x", "nul"])
def test_a_poisoned_list_that_leads_out_of_its_folder_is_refused(path):
    with pytest.raises(CatalogueError, match=r"a folder's list in DVC's cache names .*, but it "):
        Tree.parse(json.dumps([{"md5": MD5, "relpath": path}]).encode())


@pytest.mark.parametrize("md5", ["../../../etc/passwd", "0" * 31, "G" * 32, "", None, f"{MD5}.dir", MD5 + "\n"])
def test_a_poisoned_list_whose_objects_are_elsewhere_is_refused(md5):
    with pytest.raises(CatalogueError, match="is no md5"):
        Tree.parse(json.dumps([{"md5": md5, "relpath": "a"}]).encode())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[1]", b"{}x", b'[{"md5": "a"}]', b"null", b"[" * 100_000])
def test_a_damaged_list_is_one_line(content):
    with pytest.raises(CatalogueError, match="is damaged"):
        Tree.parse(content)
