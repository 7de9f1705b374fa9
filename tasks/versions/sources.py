"""How a catalogue's files are fetched: the sources, and the first that delivers them whole."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import shutil
import subprocess
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from models.errors import CatalogueError, SourceError, StorageError
from tasks.catalogue.idx import FILES
from tasks.versions.pins import read_pin
from tasks.versions.repository import DataRepository
from tasks.workspace.progress import Progress
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file, storage_errors, write_atomically

PACKAGE = "dataset-fashion-mnist"
MIRROR_SECONDS = 5
CHUNK = 2**20
PACKAGE_SECONDS = 180
OFFLINE = "skipped, PACKSHOT_OFFLINE is set"
# Of the decompressed files: the compressed ones differ between sources in their headers.
DIGESTS: Mapping[str, str] = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


@dataclass(frozen=True)
class Delivery:
    """What a source is given: `into` is the folder for the decompressed files of the catalogue `name`."""

    name: str
    settings: Settings
    repository: DataRepository
    into: Path
    progress: Progress


class Source(NamedTuple):
    """A place to get the files from; `fetch` raises SourceError with the reason when it cannot."""

    name: str
    fetch: Callable[[Delivery], None]


def accept_all(folder: Path) -> None:
    """Accept any `folder`: the `digests` are check enough."""


@dataclass(frozen=True)
class Origin:
    """A catalogue that is fetched: its `files`, and the `sources` to try in order.

    `digests` are the SHA-256 of its files, where they are known; `check` raises CatalogueError for a folder whose files
    are not the catalogue's by their format.
    """

    name: str
    files: tuple[str, ...]
    sources: Sequence[Source]
    digests: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Path], None] = accept_all


def fetch_first(delivery: Delivery, origin: Origin) -> str:
    """Fill `delivery.into` from the first source of `origin` that delivers its files whole; returns its name.

    Raises:
        SourceError: none could; the message lists each source and why.
    """
    reasons = []
    for source in origin.sources:
        _empty(delivery.into)
        try:
            source.fetch(delivery)
            check_delivery(delivery.into, origin)
        except SourceError as error:
            reasons.append(f"{source.name}: {error}")
        else:
            return source.name
    shutil.rmtree(delivery.into, ignore_errors=True)
    raise SourceError(f"no source could deliver {origin.name} | " + " | ".join(reasons))


def check_delivery(folder: Path, origin: Origin) -> None:
    """Raise SourceError for the first file of `folder` that is missing or is not the origin's."""
    for name in origin.files:
        if not (folder / name).is_file():
            raise SourceError(f"{name} is missing")
    for name, expected in origin.digests.items():
        found = digest_file(folder / name)
        if found != expected:
            raise SourceError(f"{name} has sha256 {found[:16]}..., expected {expected[:16]}...")
    try:
        origin.check(folder)
    except CatalogueError as error:
        raise SourceError(str(error)) from error


def fetch_from_dvc(delivery: Delivery) -> None:
    """Copy the files that `data.dvc` pins from DVC's cache, pulling missing ones from the remote first."""
    name, repository, reason = delivery.name, delivery.repository, ""
    pin = read_pin(delivery.settings.root)
    tree = repository.load_tree(pin)
    if tree is None or not repository.has_files(tree.catalogue(name)):
        reason = repository.fetch(pin)
        tree = repository.load_tree(pin)
    if tree is None or not tree.catalogue(name).files:
        raise SourceError(
            f"the cache does not have {pin[:12]}, and {reason}" if reason else "not in what data.dvc pins"
        )
    try:
        repository.export(tree.catalogue(name), delivery.into, link=False)
    except StorageError as error:
        raise SourceError(f"{error}; {reason}" if reason else str(error)) from error


def fetch_from_torchvision(delivery: Delivery) -> None:
    """Download from the mirrors that torchvision knows, checked with torchvision's md5s."""
    if delivery.settings.offline:
        raise SourceError(OFFLINE)
    from torchvision.datasets import FashionMNIST

    fetch_from_mirrors(delivery, FashionMNIST.mirrors, FashionMNIST.resources)


def fetch_from_mirrors(delivery: Delivery, mirrors: Sequence[str], resources: Sequence[tuple[str, str]]) -> None:
    """Download each of `resources` (file name ending in .gz, md5) from the first of `mirrors` that has it intact."""
    for number, (name, md5) in enumerate(resources):
        delivery.progress.update(number, len(resources), f"downloading {name}")
        reasons: list[str] = []
        if not any(_try_download(mirror + name, md5, delivery, reasons) for mirror in mirrors):
            raise SourceError("; ".join(reasons))
        unpack(delivery.into / name, delivery.into)
        (delivery.into / name).unlink()
    delivery.progress.update(len(resources), len(resources), "downloaded")


def fetch_from_debian(delivery: Delivery) -> None:
    """Decompress the files of the installed Debian package."""
    folder = delivery.settings.debian_datasets / delivery.name
    if not folder.is_dir():
        raise SourceError(f"{folder} is not there (`apt install {PACKAGE}` would make it)")
    for name in FILES:
        unpack(folder / f"{name}.gz", delivery.into)


def fetch_with_apt(delivery: Delivery) -> None:
    """Download Debian's package and unpack it, which does not need root."""
    if delivery.settings.offline:
        raise SourceError(OFFLINE)
    package = delivery.into / "package"
    package.mkdir()
    delivery.progress.update(0, len(FILES), f"apt-get download {PACKAGE}")
    limits = ["-o", "Acquire::http::Timeout=10", "-o", "Acquire::Retries=1"]
    _call(["apt-get", "download", *limits, PACKAGE], package)
    (archive,) = package.glob("*.deb")
    _call(["dpkg-deb", "-x", archive.name, "files"], package)
    for number, name in enumerate(FILES, 1):
        unpack(package / "files" / "usr/share/datasets" / delivery.name / f"{name}.gz", delivery.into)
        delivery.progress.update(number, len(FILES), f"unpacked {name}")
    shutil.rmtree(package)


def unpack(archive: Path, folder: Path) -> None:
    """Decompress `archive` (.gz) into `folder`; raises SourceError when it is missing or damaged."""
    if not archive.exists():
        raise SourceError(f"{archive} is missing")
    try:
        content = gzip.decompress(archive.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"{archive.name} is damaged: {error}") from error
    write_atomically(folder / archive.stem, content)


def download(url: str, md5: str, path: Path, progress: Progress) -> None:
    """Download `url` to `path` in chunks; `progress` is called with the MiB.

    Raises:
        SourceError: it cannot be reached, breaks off, or has another `md5`.
        StorageError: the disk is full.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with storage_errors(path), path.open("wb") as target:
        for piece in _read_pieces(url, progress):
            target.write(piece)
            digest.update(piece)
    if digest.hexdigest() != md5:
        path.unlink()
        raise SourceError(f"{url}: md5 {digest.hexdigest()}, expected {md5}")


def _read_pieces(url: str, progress: Progress) -> Iterator[bytes]:
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=MIRROR_SECONDS) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            while piece := answer.read(CHUNK):
                yield piece
                done += len(piece)
                progress.update(done // CHUNK, max(total, done) // CHUNK, f"MiB of {url.rsplit('/', 1)[-1]}")
    except (http.client.HTTPException, OSError) as error:
        raise SourceError(f"{url}: {getattr(error, 'reason', None) or error}") from error
    if done < total:
        raise SourceError(f"{url}: broke off after {done:,} of {total:,} bytes")


def _try_download(url: str, md5: str, delivery: Delivery, reasons: list[str]) -> bool:
    try:
        download(url, md5, delivery.into / url.rsplit("/", 1)[-1], delivery.progress)
    except SourceError as error:
        reasons.append(str(error))
        return False
    return True


def _call(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=PACKAGE_SECONDS
        )
    except FileNotFoundError as error:
        raise SourceError(f"{command[0]} is not installed (not a Debian or Ubuntu machine)") from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{command[0]} took more than {PACKAGE_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.startswith(("E:", "dpkg"))] or [
            f"exit {error.returncode}"
        ]
        hint = "; as root run `apt-get update`" if "Unable to locate" in said[0] else ""
        raise SourceError(f"{command[0]}: {said[0].removeprefix('E: ')}{hint}") from error


def _empty(folder: Path) -> None:
    with storage_errors(folder):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
