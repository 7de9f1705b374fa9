import gzip
import hashlib
import http.server
import threading
from dataclasses import replace
from functools import partial

import pytest

from models.errors import SourceError
from tasks.catalogue.idx import FILES
from tasks.versions.repository import open_repository
from tasks.versions.sources import (
    Delivery,
    Origin,
    Source,
    check_delivery,
    fetch_first,
    fetch_from_debian,
    fetch_from_dvc,
    fetch_from_mirrors,
    fetch_from_torchvision,
    fetch_with_apt,
)
from tasks.workspace.progress import NullProgress
from tasks.workspace.storage import digest_file
from tests.catalogues import make_checkout, write_fashion_mnist


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def archives(tmp_path):
    """A folder with the four .gz files of a tiny Fashion-MNIST."""
    folder = write_fashion_mnist(tmp_path / "shelf" / "fashion-mnist", 1, 1)
    for name in FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
    return folder


@pytest.fixture
def digests(archives):
    return {name: digest_file(archives / name) for name in FILES}


@pytest.fixture
def origin(digests):
    return Origin("fashion-mnist", FILES, [], digests)


@pytest.fixture
def resources(archives):
    return [(f"{name}.gz", digest_file(archives / f"{name}.gz", "md5")) for name in FILES]


@pytest.fixture
def delivery(tmp_path):
    settings = make_checkout(tmp_path / "checkout").model_copy(update={"debian_datasets": tmp_path / "shelf"})
    into = tmp_path / "into"
    into.mkdir()
    with open_repository(settings) as repository:
        yield Delivery("fashion-mnist", settings, repository, into, NullProgress())


@pytest.fixture
def mirror(archives):
    handler = partial(QuietHandler, directory=str(archives))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def nowhere():
    """A mirror at which nothing listens."""
    with http.server.HTTPServer(("127.0.0.1", 0), QuietHandler) as server:
        port = server.server_port
    return f"http://127.0.0.1:{port}/"


def test_an_installed_package_is_decompressed(delivery, archives, origin):
    fetch_from_debian(delivery)
    check_delivery(delivery.into, origin)
    assert sorted(path.name for path in delivery.into.iterdir()) == sorted(FILES)


def test_no_installed_package_is_told(delivery):
    with pytest.raises(SourceError, match=r"fashion-mnist is not there \(`apt install dataset-fashion-mnist`"):
        fetch_from_debian(delivery)


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: b"x" + content[1:]])
def test_a_damaged_archive_is_told(delivery, archives, damage):
    archive = archives / "train-images-idx3-ubyte.gz"
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(SourceError, match=r"train-images-idx3-ubyte\.gz is damaged: "):
        fetch_from_debian(delivery)


def test_mirrors_are_tried_in_turn(delivery, nowhere, mirror, resources, origin):
    fetch_from_mirrors(delivery, [nowhere, mirror], resources)
    check_delivery(delivery.into, origin)
    assert len(list(delivery.into.iterdir())) == 4


def test_a_download_with_another_md5_is_refused(delivery, archives, mirror, resources):
    (archives / "train-labels-idx1-ubyte.gz").write_bytes(b"other")
    with pytest.raises(
        SourceError, match=rf"train-labels-idx1-ubyte\.gz: md5 {hashlib.md5(b'other').hexdigest()}, expected"
    ):
        fetch_from_mirrors(delivery, [mirror], resources)


def test_unreachable_and_missing_are_told(delivery, nowhere, mirror):
    with pytest.raises(SourceError, match=rf"{nowhere}x\.gz: .*refused; {mirror}x\.gz: .*(404|not found)"):
        fetch_from_mirrors(delivery, [nowhere, mirror], [("x.gz", "0" * 32)])


@pytest.mark.parametrize("fetch", [fetch_from_torchvision, fetch_with_apt])
def test_offline_skips_the_network(delivery, fetch):
    with pytest.raises(SourceError, match="skipped, PACKSHOT_OFFLINE is set"):
        fetch(delivery)


def test_without_apt_the_reason_is_plain(delivery, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    online = delivery.settings.model_copy(update={"offline": False})
    with pytest.raises(SourceError, match=r"apt-get is not installed \(not a Debian or Ubuntu machine\)"):
        fetch_with_apt(replace(delivery, settings=online))


def test_apts_own_reason_is_passed_on(delivery, monkeypatch, tmp_path):
    apt = tmp_path / "bin" / "apt-get"
    apt.parent.mkdir()
    apt.write_text("#!/bin/sh\necho 'E: Unable to locate package dataset-fashion-mnist' >&2\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{apt.parent}:/usr/bin:/bin")
    online = delivery.settings.model_copy(update={"offline": False})
    with pytest.raises(SourceError, match=r"apt-get: Unable to locate package .*; as root run `apt-get update`"):
        fetch_with_apt(replace(delivery, settings=online))


@pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # DVC's use of pygtrie
def test_dvcs_cache_gives_what_data_dvc_pins(delivery, origin):
    folder = write_fashion_mnist(delivery.settings.data / "fashion-mnist", 1, 1)
    delivery.repository.commit()
    for name in FILES:
        (folder / name).unlink()
    fetch_from_dvc(delivery)
    check_delivery(delivery.into, origin)


def test_an_empty_cache_is_told(delivery):
    (delivery.settings.root / "data.dvc").write_text(f"outs:\n- md5: {'a' * 32}.dir\n  path: data\n")
    with pytest.raises(SourceError, match="the cache does not have aaaaaaaaaaaa, and no DVC remote is configured"):
        fetch_from_dvc(delivery)


def test_the_first_source_with_the_right_bytes_wins(delivery, archives, origin):
    def deliver_half(delivery):
        (delivery.into / FILES[0]).write_bytes(b"wrong")
        (delivery.into / "leftover").write_bytes(b"x")

    sources = [Source("half", deliver_half), Source("shelf", fetch_from_debian), Source("never", fetch_with_apt)]
    assert fetch_first(delivery, replace(origin, sources=sources)) == "shelf"
    assert not (delivery.into / "leftover").exists()


def test_when_none_works_each_is_listed_with_its_reason(delivery, origin):
    def deliver_wrong(delivery):
        for name in FILES:
            (delivery.into / name).write_bytes(b"wrong")

    def deliver_nothing(delivery):
        pass

    sources = [Source("wrong", deliver_wrong), Source("nothing", deliver_nothing), Source("apt", fetch_with_apt)]
    with pytest.raises(SourceError) as error:
        fetch_first(delivery, replace(origin, sources=sources))
    wrong, nothing, apt = str(error.value).split(" | ")[1:]
    expected = origin.digests[FILES[0]][:16]
    assert (
        wrong == f"wrong: {FILES[0]} has sha256 {hashlib.sha256(b'wrong').hexdigest()[:16]}..., expected {expected}..."
    )
    assert nothing == f"nothing: {FILES[0]} is missing"
    assert apt == "apt: skipped, PACKSHOT_OFFLINE is set"
    assert not delivery.into.exists()
