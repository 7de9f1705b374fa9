"""The catalogues that are fetched rather than added: their files, and where each is looked for."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from pathlib import Path

from models.errors import SourceError
from tasks.catalogue import cifar, idx
from tasks.versions.sources import (
    DIGESTS,
    OFFLINE,
    Delivery,
    Origin,
    Source,
    download,
    fetch_from_debian,
    fetch_from_dvc,
    fetch_from_torchvision,
    fetch_with_apt,
)
from tasks.workspace.storage import storage_errors

FASHION_MNIST = "fashion-mnist"
CIFAR10 = "cifar-10"
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CIFAR10_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"


def fetch_cifar(delivery: Delivery) -> None:
    """Download CIFAR-10's binary version from its authors' site."""
    if delivery.settings.offline:
        raise SourceError(OFFLINE)
    fetch_archive(delivery, CIFAR10_URL, CIFAR10_MD5, cifar.FILES)


def fetch_archive(delivery: Delivery, url: str, md5: str, files: tuple[str, ...]) -> None:
    """Download a .tar.gz with that `md5` and extract `files` from it, whichever folder they are in.

    Raises:
        SourceError: it cannot be downloaded, has another md5, is damaged or lacks a file.
    """
    archive = delivery.into / url.rsplit("/", 1)[-1]
    download(url, md5, archive, delivery.progress)
    with storage_errors(delivery.into):
        take_files(archive, files, delivery.into)
        archive.unlink()


def take_files(archive: Path, files: tuple[str, ...], folder: Path) -> None:
    """Unpack `files`, known by their names, from `archive` (.tar.gz) into `folder`; nothing else of it is written."""
    missing = set(files)
    try:
        with tarfile.open(archive, "r:gz") as packed:
            for member in packed:
                name = member.name.rsplit("/", 1)[-1]
                content = packed.extractfile(member) if name in missing else None
                if content is not None:
                    with content, (folder / name).open("wb") as target:
                        shutil.copyfileobj(content, target)
                    missing.remove(name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise SourceError(f"{archive.name} is damaged: {error}") from error
    if missing:
        raise SourceError(f"{archive.name} has no {', '.join(sorted(missing))}")


ORIGINS = {
    FASHION_MNIST: Origin(
        name=FASHION_MNIST,
        files=idx.FILES,
        sources=(
            Source("DVC's cache or remote", fetch_from_dvc),
            Source("torchvision's mirrors", fetch_from_torchvision),
            Source("Debian's package, installed", fetch_from_debian),
            Source("Debian's package, downloaded", fetch_with_apt),
        ),
        digests=DIGESTS,
    ),
    CIFAR10: Origin(
        name=CIFAR10,
        files=cifar.FILES,
        sources=(
            Source("DVC's cache or remote", fetch_from_dvc),
            Source("its authors' site", fetch_cifar),
        ),
        check=cifar.check_files,
    ),
}
