import pytest

from models.errors import CatalogueError, InputError
from tasks.versions.pins import find_revision, list_revisions, read_pin, read_pin_at
from tests.catalogues import commit_all, make_checkout

PIN = "outs:\n- md5: {}.dir\n  path: data\n"


@pytest.fixture
def root(tmp_path):
    return make_checkout(tmp_path).root


def write_pin(root, digit):
    (root / "data.dvc").write_text(PIN.format(digit * 32))
    return commit_all(root, f"pin {digit}")


def test_reads_pins_of_now_and_of_then(root):
    first, second = write_pin(root, "a"), write_pin(root, "b")
    (root / "data.dvc").write_text(PIN.format("c" * 32))
    assert read_pin(root) == "c" * 32
    assert [read_pin_at(root, revision) for revision in (first, second, "HEAD~1")] == ["a" * 32, "b" * 32, "a" * 32]
    assert list_revisions(root) == [second, first]


def test_no_commits_are_no_revisions(tmp_path):
    assert list_revisions(tmp_path) == []
    assert find_revision(tmp_path, "HEAD") is None


def test_a_revision_without_data_dvc_is_told(root):
    with pytest.raises(InputError, match=r"data-version: got 'HEAD', allowed: a git revision that has data\.dvc"):
        read_pin_at(root, "HEAD")


def test_a_missing_or_odd_data_dvc_is_told(root):
    with pytest.raises(CatalogueError, match=r"data\.dvc is missing; get it back with `git checkout data\.dvc`"):
        read_pin(root)
    for content in ("outs: [", "outs: []\n", "text"):
        (root / "data.dvc").write_text(content)
        with pytest.raises(CatalogueError, match="does not pin one folder"):
            read_pin(root)
