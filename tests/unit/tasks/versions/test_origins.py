import io
import tarfile
import threading
from functools import partial
from http.server import ThreadingHTTPServer

import pytest

from models.errors import SourceError
from tasks.catalogue import cifar
from tasks.versions.origins import CIFAR10, CIFAR10_URL, ORIGINS, fetch_archive, take_files
from tasks.versions.repository import open_repository
from tasks.versions.sources import Delivery, check_delivery
from tasks.workspace.progress import NullProgress
from tasks.workspace.storage import digest_file
from tests.catalogues import make_checkout, write_cifar
from tests.unit.tasks.versions.test_sources import QuietHandler


@pytest.fixture
def archive(tmp_path):
    """A small cifar-10-binary.tar.gz, laid out as the real one."""
    folder = write_cifar(tmp_path / "cifar-10-batches-bin")
    (folder / "readme.html").write_text("about")
    path = tmp_path / "shelf" / CIFAR10_URL.rsplit("/", 1)[-1]
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as packed:
        packed.add(folder, "cifar-10-batches-bin")
    return path


@pytest.fixture
def delivery(tmp_path):
    settings = make_checkout(tmp_path / "checkout")
    into = tmp_path / "into"
    into.mkdir()
    with open_repository(settings) as repository:
        yield Delivery(CIFAR10, settings, repository, into, NullProgress())


@pytest.fixture
def site(archive):
    handler = partial(QuietHandler, directory=str(archive.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{archive.name}"
        server.shutdown()
        thread.join()


def test_the_real_address_and_checksum_stay():
    assert CIFAR10_URL == "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    assert [source.name for source in ORIGINS[CIFAR10].sources] == ["DVC's cache or remote", "its authors' site"]


def test_a_download_is_unpacked_to_the_files_alone(delivery, archive, site):
    heard = []
    listener = type("Listener", (), {"update": lambda self, done, total, note="": heard.append(note)})()
    told = Delivery(delivery.name, delivery.settings, delivery.repository, delivery.into, listener)
    fetch_archive(told, site, digest_file(archive, "md5"), cifar.FILES)
    check_delivery(delivery.into, ORIGINS[CIFAR10])
    assert sorted(path.name for path in delivery.into.iterdir()) == sorted(cifar.FILES)
    assert heard[-1] == "MiB of cifar-10-binary.tar.gz"


def test_another_md5_is_refused_and_nothing_is_left(delivery, site):
    with pytest.raises(SourceError, match=rf"{site}: md5 [0-9a-f]{{32}}, expected 00000000"):
        fetch_archive(delivery, site, "0" * 32, cifar.FILES)
    assert not list(delivery.into.iterdir())


def test_a_site_without_the_file_is_told(delivery, site):
    with pytest.raises(SourceError, match=r"none\.tar\.gz: .*(404|not found)"):
        fetch_archive(delivery, site.replace("cifar-10-binary", "none"), "0" * 32, cifar.FILES)


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-2000], lambda content: b"x" + content[1:], lambda content: b""]
)
def test_a_damaged_archive_is_told(archive, tmp_path, damage):
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(SourceError, match=r"cifar-10-binary\.tar\.gz is damaged: "):
        take_files(archive, cifar.FILES, tmp_path)


def test_a_missing_member_is_named_and_a_path_out_is_not_followed(tmp_path):
    path = tmp_path / "odd.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name in ("../../test_batch.bin", "../../evil.txt"):
            member = tarfile.TarInfo(name)
            member.size = 4
            packed.addfile(member, io.BytesIO(b"data"))
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"odd\.tar\.gz has no batches\.meta\.txt, data_batch_1\.bin"):
        take_files(path, cifar.FILES, tmp_path / "a" / "b")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "odd.tar.gz"]
    assert (tmp_path / "a" / "b" / "test_batch.bin").read_bytes() == b"data"


def test_a_delivery_of_another_format_is_refused(tmp_path):
    folder = write_cifar(tmp_path / "x")
    (folder / "data_batch_1.bin").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"data_batch_1\.bin: truncated"):
        check_delivery(folder, ORIGINS[CIFAR10])
