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
