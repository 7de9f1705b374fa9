import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from models.errors import CatalogueError, InputError, StorageError
from tasks.versions.pins import read_pin
from tasks.versions.repository import is_open, open_repository
from tasks.versions.trees import Tree
from tasks.workspace.settings import SOURCE
from tasks.workspace.storage import digest_file
from tests.catalogues import clone_checkout, commit_all, make_checkout, run_git, write_fashion_mnist, write_photos

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # DVC's use of pygtrie
HOLD_LOCK = """
import sys, time, zc.lockfile
lock = zc.lockfile.LockFile(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def checkout(tmp_path):
    settings = make_checkout(tmp_path / "checkout")
    write_fashion_mnist(settings.data / "fashion", 1, 1)
    write_photos(settings.data / "shop", count=1)
    (settings.data / "shop" / "größe.txt").write_text("text\r\n")
    return settings


def hold_dvc_lock(settings, seconds):
    path = settings.root / ".dvc" / "tmp" / "lock"
    path.parent.mkdir(exist_ok=True)
    holder = subprocess.Popen([sys.executable, "-c", HOLD_LOCK, str(path), str(seconds)], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    return holder


def test_the_md5_of_a_catalogue_is_what_dvc_add_would_give(checkout, tmp_path):
    with open_repository(checkout) as repository:
        repository.commit()
        pinned = repository.load_tree(read_pin(checkout.root))
    for name in ("fashion", "shop"):
        alone = make_checkout(tmp_path / name)
        shutil.copytree(checkout.data / name, alone.data, dirs_exist_ok=True)
        with open_repository(alone) as repository:
            repository.commit()
        assert read_pin(alone.root) == pinned.catalogue(name).md5


def test_commit_pins_what_is_there_and_git_sees_data_dvc_alone(checkout):
    with open_repository(checkout) as repository:
        repository.commit()
        tree = repository.hash_folder(checkout.data)
        assert (tree.md5, repository.has_files(tree)) == (read_pin(checkout.root), True)
    assert run_git(checkout.root, "status", "--short") == "?? data.dvc\n"


def test_commit_again_leaves_data_dvc_as_it_is(checkout):
    with open_repository(checkout) as repository:
        repository.commit()
        before = (checkout.root / "data.dvc").read_bytes()
        repository.commit()
    assert (checkout.root / "data.dvc").read_bytes() == before


def test_partial_folders_are_not_hashed(checkout):
    with open_repository(checkout) as repository:
        before = repository.hash_folder(checkout.data)
        write_photos(checkout.data / ".shop.part", count=1)
        assert repository.hash_folder(checkout.data) == before


def test_a_changed_file_changes_the_hash(checkout):
    with open_repository(checkout) as repository:
        before = repository.hash_folder(checkout.data)
        (checkout.data / "shop" / "größe.txt").write_text("other")
        after = repository.hash_folder(checkout.data)
    assert before.compare(after).changed == ["shop/größe.txt"]


def test_waits_for_dvcs_lock(checkout):
    with hold_dvc_lock(checkout, 4) as holder, open_repository(checkout, lock_seconds=300) as repository:
        repository.commit()
        assert holder.poll() is not None or holder.wait(60) == 0
    assert (checkout.root / "data.dvc").exists()


def test_a_lock_that_stays_held_is_a_clear_error(checkout):
    with (
        hold_dvc_lock(checkout, 60) as holder,
        pytest.raises(StorageError, match=r"another DVC process holds the lock .*\.dvc/tmp/lock, waited 0 s"),
        open_repository(checkout, lock_seconds=0) as repository,
    ):
        try:
            repository.commit()
        finally:
            holder.kill()
    assert not (checkout.root / "data.dvc").exists()


def test_export_gives_read_only_links_or_writable_copies(checkout, tmp_path):
    with open_repository(checkout) as repository:
        repository.commit()
        tree = repository.hash_folder(checkout.data / "shop")
        repository.export(tree, tmp_path / "links", link=True)
        repository.export(tree, tmp_path / "copies", link=False)
        assert repository.hash_folder(tmp_path / "copies") == tree
    linked, copied = tmp_path / "links" / "shoe" / "000.jpg", tmp_path / "copies" / "shoe" / "000.jpg"
    assert (linked.stat().st_mode & 0o222, linked.stat().st_nlink) == (0, 2)
    assert (bool(copied.stat().st_mode & 0o200), copied.stat().st_nlink) == (True, 1)


def test_a_damaged_cache_is_told(checkout, tmp_path):
    with open_repository(checkout) as repository:
        repository.commit()
        tree = repository.hash_folder(checkout.data / "shop")
        damaged = repository.object_path(tree.files["shoe/000.jpg"])
        damaged.chmod(0o644)
        damaged.write_bytes(b"something else")
        with pytest.raises(StorageError, match=r"cache is damaged: .* \(shoe/000\.jpg\)"):
            repository.export(tree, tmp_path / "out", link=True)
        damaged.unlink()
        with pytest.raises(StorageError, match=r"cache has no .*`packshot data fetch NAME` brings"):
            repository.export(tree, tmp_path / "again", link=True)


def test_a_checkout_without_dvc_is_told(tmp_path):
    settings = make_checkout(tmp_path)
    shutil.rmtree(tmp_path / ".dvc")
    with pytest.raises(StorageError, match=r"DVC in .*not.* a DVC"), open_repository(settings):
        pass


def test_fetch_says_why_it_cannot(checkout):
    config = checkout.root / ".dvc" / "config"
    with open_repository(checkout) as repository:
        assert repository.fetch("0" * 32) == "no DVC remote is configured"
    config.write_text(config.read_text() + '    remote = shop\n[remote "shop"]\n    url = https://example.org/x\n')
    config.write_text(
        config.read_text()
        .replace("[core]", "[core]\n    remote = shop")
        .replace("    remote = shop\n[remote", "[remote")
    )
    with open_repository(checkout) as repository:
        assert repository.fetch("0" * 32) == "DVC's remote shop: skipped, PACKSHOT_OFFLINE is set"


def test_fetch_fills_the_cache_of_a_clone_from_a_remote(checkout, tmp_path):
    config = checkout.root / ".dvc" / "config"
    shelf = f'[remote "shelf"]\n    url = {tmp_path}/shelf\n'
    config.write_text(config.read_text().replace("[core]", "[core]\n    remote = shelf") + shelf)
    with open_repository(checkout) as repository:
        repository.commit()
        tree = repository.hash_folder(checkout.data)
    commit_all(checkout.root, "pin")
    shutil.copytree(checkout.root / ".packshot" / "dvc-cache", tmp_path / "shelf")
    clone = clone_checkout(checkout, tmp_path / "clone")
    with open_repository(clone) as repository:
        assert repository.load_tree(tree.md5) is None
        assert repository.fetch(tree.md5) == ""
        assert repository.load_tree(tree.md5) == tree
        assert repository.has_files(tree)


@pytest.mark.parametrize("entry", [{"relpath": "../../evil"}, {"relpath": "/tmp/evil"}, {"md5": "../../../../evil"}])
def test_a_poisoned_remote_writes_nothing_outside(checkout, tmp_path, entry):
    bait = tmp_path / "bait"
    bait.write_text("evil")
    md5 = digest_file(bait, "md5")
    listed = json.dumps([{"md5": md5, "relpath": "shop/hat/a.jpg", **entry}]).encode()
    name = hashlib.md5(listed, usedforsecurity=False).hexdigest()
    remote = tmp_path / "remote" / "files" / "md5"
    for where, content in ((f"{name}.dir", listed), (md5, b"evil")):
        (remote / where[:2]).mkdir(parents=True, exist_ok=True)
        (remote / where[:2] / where[2:]).write_bytes(content)
    config = checkout.root / ".dvc" / "config"
    section = f"['remote \"theirs\"']\n    url = {tmp_path / 'remote'}\n"
    config.write_text(config.read_text().replace("[core]\n", "[core]\n    remote = theirs\n") + section)
    before = sorted(path for path in tmp_path.rglob("*evil*"))
    with open_repository(checkout) as repository:
        with pytest.raises(CatalogueError, match=r"a folder's list in DVC's cache names .*; delete /"):
            repository.fetch(name)
        with pytest.raises(CatalogueError, match="a folder's list in DVC's cache names"):
            repository.load_tree(name)
    assert sorted(path for path in tmp_path.rglob("*evil*")) == before


@pytest.mark.parametrize("link", [False, True])
def test_a_tree_that_was_made_by_hand_is_not_followed_out_of_its_folder(checkout, tmp_path, link):
    with open_repository(checkout) as repository:
        repository.commit()
        (md5, *_) = repository.hash_folder(checkout.data).files.values()
        with pytest.raises(InputError, match="a path inside"):
            repository.export(Tree({"../evil": md5}), tmp_path / "out", link)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("opened", ["", "repo"])
def test_dvcs_state_is_its_owners_alone_under_any_umask_and_what_others_could_write_is_thrown_away(checkout, opened):
    before = os.umask(0)
    try:
        with open_repository(checkout) as repository:
            repository.commit()
        state = checkout.dvc_state
        planted = state / "repo" / "planted.db"
        planted.touch()
        with open_repository(checkout):
            assert planted.exists()
        (state / opened).chmod(0o777)
        assert is_open(state)
        with open_repository(checkout):
            assert not planted.exists()
    finally:
        os.umask(before)
    modes = {oct(path.stat().st_mode & 0o777) for path in (checkout.home, state, state / "repo")}
    assert (modes, is_open(state)) == ({"0o700"}, False)


def test_a_link_in_place_of_dvcs_state_is_taken_away(checkout, tmp_path):
    theirs = tmp_path / "theirs"
    (theirs / "repo").mkdir(parents=True)
    checkout.home.mkdir(exist_ok=True)
    checkout.dvc_state.symlink_to(theirs)
    with open_repository(checkout):
        assert (list((theirs / "repo").iterdir()), checkout.dvc_state.is_symlink()) == ([], False)


def test_no_message_advises_a_bare_command_of_dvc():
    bare = re.compile("`dvc (?:fetch|checkout|pull|init|push|repro)")
    files = [path for room in ("flows", "tasks", "serving", "models") for path in (SOURCE / room).rglob("*.py")]
    told = [
        node.value
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.endswith((".", "\n    "))
    ]
    assert not [text for text in told if bare.search(text)]
