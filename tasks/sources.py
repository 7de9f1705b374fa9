"""Where Fashion-MNIST's files can come from, in the order in which they are tried."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from models.errors import SourceError, StorageError
from tasks.idx import FILES
from tasks.pins import read_pin
from tasks.progress import Progress
from tasks.repository import DataRepository
from tasks.settings import Settings
from tasks.storage import digest_file, storage_errors, write_atomically

NAME = "fashion-mnist"
PACKAGE = "dataset-fashion-mnist"
MIRROR_SECONDS = 5
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
    """What a source needs: `into` is the folder for the four decompressed files."""

    settings: Settings
    repository: DataRepository
    into: Path
    progress: Progress


class Source(NamedTuple):
    """A place to get the files from; `fetch` raises SourceError with the reason when it cannot."""

    name: str
    fetch: Callable[[Delivery], None]


def fetch_first(delivery: Delivery, sources: Sequence[Source], digests: Mapping[str, str]) -> str:
    """Fill `delivery.into` from the first source whose files have the `digests` (SHA-256); returns its name.

    Raises:
        SourceError: none could; the message lists each source and why.
    """
    reasons = []
    for source in sources:
        _empty(delivery.into)
        try:
            source.fetch(delivery)
            check_digests(delivery.into, digests)
        except SourceError as error:
            reasons.append(f"{source.name}: {error}")
        else:
            return source.name
    raise SourceError(f"no source could deliver {NAME} | " + " | ".join(reasons))


def check_digests(folder: Path, digests: Mapping[str, str]) -> None:
    """Raise SourceError for the first file of `folder` that is missing or has another SHA-256."""
    for name, expected in digests.items():
        path = folder / name
        if not path.is_file():
            raise SourceError(f"{name} is missing")
        found = digest_file(path)
        if found != expected:
            raise SourceError(f"{name} has sha256 {found[:16]}..., expected {expected[:16]}...")


def fetch_from_dvc(delivery: Delivery) -> None:
    """Copy the files that `data.dvc` pins from DVC's cache, after asking DVC's remote where the cache has them not."""
    repository, reason = delivery.repository, ""
    pin = read_pin(delivery.settings.root)
    tree = repository.load_tree(pin)
    if tree is None or not repository.has_files(tree.catalogue(NAME)):
        reason = repository.fetch(pin)
        tree = repository.load_tree(pin)
    if tree is None or not tree.catalogue(NAME).files:
        raise SourceError(
            f"the cache does not have {pin[:12]}, and {reason}" if reason else "not in what data.dvc pins"
        )
    try:
        repository.export(tree.catalogue(NAME), delivery.into, link=False)
    except StorageError as error:
        raise SourceError(f"{error}; {reason}" if reason else str(error)) from error


def fetch_from_torchvision(delivery: Delivery) -> None:
    """Download from the mirrors that torchvision knows, checked with torchvision's md5s."""
    if delivery.settings.offline:
        raise SourceError(OFFLINE)
    from torchvision.datasets import FashionMNIST

    fetch_from_mirrors(delivery, FashionMNIST.mirrors, FashionMNIST.resources)


def fetch_from_mirrors(delivery: Delivery, mirrors: Sequence[str], resources: Sequence[tuple[str, str]]) -> None:
    """Download each of `resources` (file name ending in .gz, md5) from the first of `mirrors` that has it whole."""
    for number, (name, md5) in enumerate(resources):
        delivery.progress.update(number, len(resources), f"downloading {name}")
        reasons: list[str] = []
        if not any(_download(mirror + name, md5, delivery.into, reasons) for mirror in mirrors):
            raise SourceError("; ".join(reasons))
        unpack(delivery.into / name, delivery.into)
        (delivery.into / name).unlink()
    delivery.progress.update(len(resources), len(resources), "downloaded")


def fetch_from_debian(delivery: Delivery) -> None:
    """Decompress the files of the installed Debian package."""
    folder = delivery.settings.debian_datasets / NAME
    if not folder.is_dir():
        raise SourceError(f"{folder} is not there (`apt install {PACKAGE}` would make it)")
    for name in FILES:
        unpack(folder / f"{name}.gz", delivery.into)


def fetch_with_apt(delivery: Delivery) -> None:
    """Fetch Debian's package and unpack it, which needs no root."""
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
        unpack(package / "files" / "usr/share/datasets" / NAME / f"{name}.gz", delivery.into)
        delivery.progress.update(number, len(FILES), f"unpacked {name}")
    shutil.rmtree(package)


SOURCES = (
    Source("DVC's cache or remote", fetch_from_dvc),
    Source("torchvision's mirrors", fetch_from_torchvision),
    Source("Debian's package, installed", fetch_from_debian),
    Source("Debian's package, downloaded", fetch_with_apt),
)


def unpack(archive: Path, folder: Path) -> None:
    """Decompress `archive` (.gz) into `folder`; raises SourceError when it is missing or damaged."""
    if not archive.exists():
        raise SourceError(f"{archive} is missing")
    try:
        content = gzip.decompress(archive.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"{archive.name} is damaged: {error}") from error
    write_atomically(folder / archive.stem, content)


def _download(url: str, md5: str, folder: Path, reasons: list[str]) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=MIRROR_SECONDS) as answer:
            content = answer.read()
    except (urllib.error.URLError, OSError) as error:
        reasons.append(f"{url}: {getattr(error, 'reason', None) or error}")
        return False
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        reasons.append(f"{url}: md5 {found}, expected {md5}")
        return False
    write_atomically(folder / url.rsplit("/", 1)[-1], content)
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
