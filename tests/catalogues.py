"""Tiny catalogues for the tests: Fashion-MNIST in miniature, photos, bad files, and a checkout to hold them."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tasks.catalogue import cifar
from tasks.catalogue.idx import CATEGORIES, IMAGES_MAGIC, LABELS_MAGIC, SIDE, SPLITS
from tasks.workspace.settings import Settings

DVC_CONFIG = """[core]
    analytics = false
    autostage = false
    check_update = false
[cache]
    dir = ../.packshot/dvc-cache
"""


def write_fashion_mnist(folder: Path, train: int = 20, test: int = 10, seed: int = 0) -> Path:
    """Write the four idx files with `train` and `test` images of each of the ten categories; returns `folder`."""
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in (("train", train), ("test", test)):
        labels = np.tile(np.arange(len(CATEGORIES), dtype=np.uint8), count)
        images = np.stack([draw_category(int(label), generator) for label in labels])
        images_name, labels_name = SPLITS[split]
        write_idx(folder / images_name, images)
        write_idx(folder / labels_name, labels)
    return folder


def write_idx(path: Path, values: npt.NDArray[np.uint8]) -> None:
    """Write images (N, 28, 28) or labels (N,) in the idx format."""
    magic = IMAGES_MAGIC if values.ndim == 3 else LABELS_MAGIC
    path.write_bytes(struct.pack(f">I{values.ndim}I", magic, *values.shape) + values.tobytes())


def write_cifar(folder: Path, count: int = 1, seed: int = 0) -> Path:
    """Write CIFAR-10's files with `count` images of each of the ten categories in each batch; returns `folder`."""
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / cifar.NAMES).write_text("\n".join(cifar.CATEGORIES) + "\n\n")
    for number, name in enumerate(cifar.IMAGES):
        labels = np.tile(np.arange(len(cifar.CATEGORIES), dtype=np.uint8), count)
        first = seed + 1000 * (number + 1)
        photos = [make_photo(first + row, (cifar.SIDE, cifar.SIDE)) for row in range(len(labels))]
        planes = np.stack([np.asarray(photo).transpose(2, 0, 1).ravel() for photo in photos])
        noisy = np.clip(planes + generator.integers(-8, 9, planes.shape), 0, 255).astype(np.uint8)
        np.concatenate([labels[:, None], noisy], axis=1).tofile(folder / name)
    return folder


def draw_category(label: int, generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A shape that tells its category, uint8 (28, 28): bars and discs, jittered, with noise against near duplicates."""
    image = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    x, y = (int(value) for value in generator.integers(-2, 3, 2))
    grey = int(generator.integers(150, 230))
    size = 3 + label % 5 * 2
    box = (14 - size + x, 14 - size + y, 14 + size + x, 14 + size + y)
    if label < 5:
        draw.rectangle(box, fill=grey)
    else:
        draw.ellipse(box, outline=grey, width=2)
        draw.line((0, label * 2, SIDE, label * 2), fill=grey)
    noisy = np.asarray(image, np.float64) + generator.normal(0, 25, (SIDE, SIDE))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def make_photo(seed: int, size: tuple[int, int] = (64, 80)) -> Image.Image:
    """A colourful picture, different for every seed, smooth enough to survive JPEG."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def write_photos(
    folder: Path,
    categories: Sequence[str] = ("shirt", "shoe"),
    count: int = 4,
    splits: Sequence[str] = ("",),
    seed: int = 0,
) -> Path:
    """Write `count` JPEGs for each category (and each of `splits`, as outer folders); returns `folder`."""
    for split in splits:
        for category in categories:
            place = folder / split / category
            place.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                make_photo(seed).save(place / f"{number:03d}.jpg", quality=90)
                seed += 1
    return folder


def write_truncated_jpeg(path: Path) -> None:
    make_photo(1000).save(path, "JPEG", quality=95)
    path.write_bytes(path.read_bytes()[:1500])


def write_corrupt_png(path: Path) -> None:
    make_photo(1001).save(path, "PNG")
    content = bytearray(path.read_bytes())
    content[200:400] = b"\xff" * 200
    path.write_bytes(content)


def write_text(path: Path) -> None:
    path.write_text("no image at all\n")


def write_empty(path: Path) -> None:
    path.write_bytes(b"")


def write_animated_gif(path: Path) -> None:
    make_photo(1002).save(path, "GIF", save_all=True, append_images=[make_photo(1003), make_photo(1004)])


def write_bomb(path: Path) -> None:
    """A hundred megapixels in a small file."""
    Image.new("1", (10_000, 10_000)).save(path, "PNG")


def write_sixteen_bit_png(path: Path) -> None:
    """A ramp from 0 to 65535."""
    Image.fromarray(np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)).save(path, "PNG")


def write_cmyk_jpeg(path: Path) -> None:
    make_photo(1005).convert("CMYK").save(path, "JPEG", quality=95)


def write_transparent_png(path: Path) -> None:
    """Red, and wholly transparent in its left half."""
    image = Image.new("RGBA", (40, 30), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 20, 30))
    image.save(path, "PNG")


def write_rotated_jpeg(path: Path) -> None:
    """Stored lying, 80 wide and 64 high; its EXIF orientation makes it 64 wide and 80 high."""
    exif = Image.Exif()
    exif[0x0112] = 6
    make_photo(1006, (80, 64)).save(path, "JPEG", exif=exif, quality=95)


# Each bad file and how its row's problem begins.
BAD_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated.jpg": (write_truncated_jpeg, "damaged: "),
    "corrupt.png": (write_corrupt_png, "damaged: "),
    "text.jpg": (write_text, "not an image"),
    "empty.jpg": (write_empty, "empty: 0 bytes"),
    "animated.gif": (write_animated_gif, "animated: 3 frames"),
    "bomb.png": (write_bomb, "too large: 10000x10000"),
}
ODD_FILES: dict[str, Callable[[Path], None]] = {
    "sixteen.png": write_sixteen_bit_png,
    "cmyk.jpg": write_cmyk_jpeg,
    "transparent.png": write_transparent_png,
    "rotated.jpg": write_rotated_jpeg,
}


def make_checkout(root: Path) -> Settings:
    """A git and DVC repository at `root`, offline, with an empty `data/`, as a user's clone has it."""
    root.mkdir(parents=True, exist_ok=True)
    run_git(root, "init", "-q")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text(DVC_CONFIG)
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (root / ".dvcignore").write_text(".*.part/\n")
    (root / ".gitignore").write_text("/data/\n/.packshot/\n")
    (root / "data").mkdir()
    commit_all(root, "start")
    return _settings(root)


def clone_checkout(settings: Settings, root: Path) -> Settings:
    """A git clone of the checkout at `root`: without `data/`, cache or state."""
    run_git(settings.root, "clone", "-q", ".", str(root))
    return _settings(root)


def _settings(root: Path) -> Settings:
    return Settings(root=root, PACKSHOT_HOME=root / ".packshot", offline=True, debian_datasets=root / "no-such-folder")


def commit_all(root: Path, message: str) -> str:
    """Commit everything; returns the short sha."""
    run_git(root, "add", "-A")
    run_git(root, "-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "-q", "-m", message)
    return run_git(root, "rev-parse", "--short", "HEAD").strip()


def run_git(root: Path, *arguments: str) -> str:
    """Standard output of a git command that must succeed."""
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout
