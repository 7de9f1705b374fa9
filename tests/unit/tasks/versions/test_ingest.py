import shutil
import threading
from dataclasses import replace

import pytest

from models.errors import CatalogueError, InputError, SourceError, StorageError
from tasks.catalogue.idx import FILES
from tasks.versions.ingest import ingest_catalogue, lock_data
from tasks.versions.origins import CIFAR10, ORIGINS
from tasks.versions.pins import read_pin
from tasks.versions.repository import open_repository
from tasks.versions.sources import Origin, Source
from tasks.workspace.storage import digest_file
from tests.catalogues import (
    clone_checkout,
    commit_all,
    make_checkout,
    run_git,
    write_cifar,
    write_fashion_mnist,
    write_photos,
)

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # DVC's use of pygtrie
NAME = "fashion-mnist"


@pytest.fixture
def shelf(tmp_path):
    return write_fashion_mnist(tmp_path / "shelf", 1, 1)


@pytest.fixture
def digests(shelf):
    return {name: digest_file(shelf / name) for name in FILES}


@pytest.fixture
def origins(shelf, digests):
    """Fashion-MNIST in miniature, which comes from a shelf."""
    return origins_from(Source("shelf", lambda delivery: put(shelf, delivery)), digests)


def put(shelf, delivery):
    shutil.copytree(shelf, delivery.into, dirs_exist_ok=True)


def origins_from(source, digests):
    return {NAME: Origin(NAME, FILES, [source] if source else [], digests)}


@pytest.fixture
def real(digests):
    """The real sources, of files with the small ones' digests."""
    return {NAME: replace(ORIGINS[NAME], digests=digests)}


@pytest.fixture
def cifar(tmp_path, origins):
    """Fashion-MNIST and CIFAR-10, both from shelves."""
    shelf = write_cifar(tmp_path / "cifar-shelf")
    return {**origins, CIFAR10: replace(ORIGINS[CIFAR10], sources=[Source("shelf", lambda into: put(shelf, into))])}


@pytest.fixture
def pinned(tmp_path, shelf):
    """A checkout whose committed data.dvc pins Fashion-MNIST and `shop`."""
    settings = make_checkout(tmp_path / "pinned")
    shutil.copytree(shelf, settings.data / NAME)
    write_photos(settings.data / "shop", count=1)
    pin(settings)
    return settings


@pytest.fixture
def fresh(tmp_path, shelf):
    """A clone that has nothing but git's files; data.dvc pins Fashion-MNIST alone."""
    settings = make_checkout(tmp_path / "origin")
    shutil.copytree(shelf, settings.data / NAME)
    pin(settings)
    return clone_checkout(settings, tmp_path / "fresh")


def pin(settings):
    with open_repository(settings) as repository:
        repository.commit()
    commit_all(settings.root, "pin")


def test_a_fresh_clone_gets_the_bytes_that_are_pinned(fresh, origins, digests):
    version = ingest_catalogue(fresh, NAME, origins=origins)
    assert (version.source, version.images, version.folder) == ("shelf", 20, fresh.data / NAME)
    assert {path.name: digest_file(path) for path in version.folder.iterdir()} == digests
    assert [path.name for path in fresh.data.iterdir()] == [NAME]
    assert run_git(fresh.root, "status", "--short") == ""
    with open_repository(fresh) as repository:
        assert repository.has_files(repository.load_tree(read_pin(fresh.root)))


def test_again_nothing_is_fetched(fresh, origins, digests):
    first = ingest_catalogue(fresh, NAME, origins=origins)
    again = ingest_catalogue(fresh, NAME, origins=origins_from(None, digests))
    assert (again.md5, again.source) == (first.md5, "already in data/")


def test_a_missing_file_alone_is_completed(fresh, origins):
    ingest_catalogue(fresh, NAME, origins=origins)
    kept = fresh.data / NAME / FILES[0]
    before = kept.stat().st_ino
    (fresh.data / NAME / FILES[1]).unlink()
    assert ingest_catalogue(fresh, NAME, origins=origins).source == "shelf"
    assert kept.stat().st_ino == before


def test_dvcs_cache_comes_before_other_sources(pinned, real):
    shutil.rmtree(pinned.data)
    assert ingest_catalogue(pinned, NAME, origins=real).source == "DVC's cache or remote"


@pytest.mark.parametrize("content", [b"", b"wrong bytes"])
def test_a_file_with_wrong_bytes_is_named_and_kept(pinned, origins, content):
    path = pinned.data / NAME / FILES[2]
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=rf"{path} has the wrong bytes .* move it away") as error:
        ingest_catalogue(pinned, NAME, origins=origins)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == content


def test_a_strange_file_is_named(pinned, origins):
    (pinned.data / NAME / "notes.txt").write_text("x")
    with pytest.raises(CatalogueError, match=r"notes\.txt does not belong to fashion-mnist"):
        ingest_catalogue(pinned, NAME, origins=origins)


def test_no_network_and_no_package_lists_every_source(fresh, real):
    with pytest.raises(SourceError) as error:
        ingest_catalogue(fresh, NAME, origins=real)
    for source in real[NAME].sources:
        assert f" | {source.name}: " in str(error.value)
    assert not (fresh.data / NAME).exists()


def test_a_source_with_the_wrong_bytes_leaves_data_alone(fresh, digests):
    bad = Source("bad", lambda delivery: write_fashion_mnist(delivery.into, 1, 1, seed=9))
    with pytest.raises(SourceError, match=r"bad: train-images-idx3-ubyte has sha256 "):
        ingest_catalogue(fresh, NAME, origins=origins_from(bad, digests))
    assert not (fresh.data / NAME).exists()


def test_bytes_that_data_dvc_does_not_pin_are_drift(pinned, tmp_path):
    other = write_fashion_mnist(tmp_path / "other", 1, 1, seed=5)
    shutil.copytree(other, pinned.data / NAME, dirs_exist_ok=True)
    digests = {name: digest_file(other / name) for name in FILES}
    with pytest.raises(CatalogueError, match=r"data/fashion-mnist is not what data\.dvc pins: 2 changed \(t10k-images"):
        ingest_catalogue(pinned, NAME, origins=origins_from(None, digests))


def test_photos_that_drifted_are_told_with_the_way_out(pinned):
    (pinned.data / "shop" / "shoe" / "000.jpg").unlink()
    (pinned.data / "shop" / "shirt" / "new.jpg").write_bytes(b"x")
    with pytest.raises(CatalogueError) as error:
        ingest_catalogue(pinned, "shop")
    assert str(error.value) == (
        "data/shop is not what data.dvc pins: 1 added (shirt/new.jpg); 1 missing (shoe/000.jpg); pin the new state "
        "with `packshot data add`, or move data/shop elsewhere and get the pinned one back with "
        "`packshot data fetch shop`"
    )


def test_photos_that_are_not_in_data_come_from_dvc(pinned):
    shutil.rmtree(pinned.data / "shop")
    version = ingest_catalogue(pinned, "shop")
    assert (version.source, version.images, version.folder) == ("DVC's cache or remote", 2, pinned.data / "shop")


def test_an_unpinned_folder_is_told(pinned):
    write_photos(pinned.data / "new", count=1)
    with pytest.raises(
        CatalogueError, match=r"data/new is not in data\.dvc; pin it with `packshot data add FOLDER --name new`"
    ):
        ingest_catalogue(pinned, "new")


def test_an_unknown_catalogue_lists_those_there_are(pinned, fresh):
    with pytest.raises(
        InputError, match="catalogue: got 'hats', allowed: one of cifar-10, fashion-mnist, shop; `packshot data add"
    ):
        ingest_catalogue(pinned, "hats")
    with pytest.raises(
        InputError, match=r"one of cifar-10, fashion-mnist \(what data\.dvc pins is not known here: no DVC remote"
    ):
        ingest_catalogue(fresh, "hats")


def test_an_older_version_is_read_beside_the_working_tree(pinned):
    shutil.rmtree(pinned.data / "shop" / "shoe")
    pin(pinned)
    version = ingest_catalogue(pinned, "shop", "HEAD~1")
    assert (version.images, version.source) == (2, "DVC's cache")
    assert ingest_catalogue(pinned, "shop", "HEAD").source == "already in data/"
    assert ingest_catalogue(pinned, "shop").images == 1


def test_a_revision_in_a_fresh_clone_is_fetched_first(fresh, origins):
    version = ingest_catalogue(fresh, NAME, "HEAD", origins=origins)
    assert (version.folder, version.source) == (fresh.data / NAME, "shelf")


def test_two_ingests_at_once_take_turns(fresh, origins, digests):
    started = threading.Event()

    def fetch_slowly(delivery):
        started.set()
        origins[NAME].sources[0].fetch(delivery)

    found = []
    slow = origins_from(Source("slow", fetch_slowly), digests)
    thread = threading.Thread(target=lambda: found.append(ingest_catalogue(fresh, NAME, origins=slow)))
    thread.start()
    started.wait(120)
    found.append(ingest_catalogue(fresh, NAME, origins=origins_from(None, digests)))
    thread.join()
    assert sorted(version.source for version in found) == ["already in data/", "slow"]


def test_a_lock_that_stays_held_is_told(fresh, monkeypatch):
    monkeypatch.setattr("tasks.versions.ingest.LOCK_SECONDS", 0.1)
    with (
        lock_data(fresh.home),
        pytest.raises(StorageError, match=r"another process is changing data/ \(lock .*data\.lock\)"),
    ):
        ingest_catalogue(fresh, NAME)


def test_cifar_is_fetched_and_pinned_the_first_time(pinned, cifar):
    version = ingest_catalogue(pinned, CIFAR10, origins=cifar)
    assert (version.source, version.images) == ("shelf; pinned now: commit data.dvc to keep it", 60)
    assert run_git(pinned.root, "status", "--short") == " M data.dvc\n"
    assert ingest_catalogue(pinned, CIFAR10, origins=cifar).source == "already in data/"
    assert ingest_catalogue(pinned, "shop", origins=cifar).images == 2
    (pinned.data / CIFAR10 / "test_batch.bin").unlink()
    assert ingest_catalogue(pinned, CIFAR10, origins=ORIGINS).source == "DVC's cache or remote"


def test_cifar_in_a_fresh_clone_leaves_what_was_pinned_as_it_was(fresh, cifar):
    before = read_pin(fresh.root)
    assert ingest_catalogue(fresh, CIFAR10, origins=cifar).images == 60
    with open_repository(fresh) as repository:
        tree = repository.load_tree(read_pin(fresh.root))
        assert repository.has_files(tree)
        assert (tree.names(), tree.without(CIFAR10).md5) == ([CIFAR10, NAME], before)


def test_files_of_cifar_that_lie_there_are_checked_and_pinned(pinned, cifar):
    folder = write_cifar(pinned.data / CIFAR10)
    assert (
        ingest_catalogue(pinned, CIFAR10, origins=cifar).source
        == "already in data/; pinned now: commit data.dvc to keep it"
    )
    ingest_catalogue(pinned, CIFAR10, origins=cifar)
    (folder / "data_batch_2.bin").write_bytes(b"x" * 3074)
    with pytest.raises(CatalogueError, match=r"data_batch_2\.bin: truncated or no batch of CIFAR-10"):
        ingest_catalogue(pinned, CIFAR10, origins=cifar)


def test_a_file_of_cifar_that_is_not_what_arrived_is_named_and_kept(pinned, cifar):
    folder = write_cifar(pinned.data / CIFAR10, seed=9)
    (folder / "data_batch_2.bin").unlink()
    with pytest.raises(CatalogueError, match=r"batch.*\.bin has the wrong bytes"):
        ingest_catalogue(pinned, CIFAR10, origins=cifar)
    assert not (folder / "data_batch_2.bin").exists()


def test_cifar_without_network_lists_every_source(pinned):
    with pytest.raises(SourceError) as error:
        ingest_catalogue(pinned, CIFAR10)
    assert str(error.value) == (
        "no source could deliver cifar-10 | DVC's cache or remote: not in what data.dvc pins | "
        "its authors' site: skipped, PACKSHOT_OFFLINE is set"
    )
