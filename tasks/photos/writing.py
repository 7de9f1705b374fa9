"""Images written, and none without a record of its making: the one way from pixels to a file."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.arrays import Pixels
from models.errors import InputError
from tasks.photos.formats import WRITTEN, Records, find_written, png_chunks
from tasks.photos.options import WriteOptions
from tasks.photos.picture import Picture
from tasks.workspace.storage import explain_os_error, write_atomically


class Record(Protocol):
    """What an image says of its own making; `tasks.provenance` has those that there are."""

    def texts(self) -> Records:
        """What is written into the file: the record by its name, and IPTC's digital source type where there is one."""


class Encoded(NamedTuple):
    """A file's bytes, with the record inside, and what was lost on the way."""

    content: bytes
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The digest by which the lineage index knows the file."""
        return hashlib.sha256(self.content).hexdigest()


def write_image(path: Path, encoded: Encoded, replace: bool = False) -> None:
    """Write an image at `path`, whole or not at all; without `replace` only where nothing else lies.

    Raises:
        InputError: a different file is already at `path`.
        StorageError: the file cannot be read or written; what was there before still is.
    """
    try:
        taken = not replace and path.exists() and (not path.is_file() or path.read_bytes() != encoded.content)
    except OSError as error:
        raise explain_os_error(error, path) from error
    if taken:
        raise InputError("out", str(path), "a name that no other file has; nothing is overwritten")
    write_atomically(path, encoded.content)


def encode_picture(
    picture: Picture, suffix: str, record: Record, options: WriteOptions | None = None, exif: bytes = b""
) -> Encoded:
    """The bytes of a photograph's file whose name ends in `suffix`, one of `formats.WRITTEN_SUFFIXES`.

    Of metadata it holds the profile, the record (text chunks of a PNG, XMP elsewhere; the digital source type is in
    XMP always) and, where `keep_metadata` is set, `exif` as `tasks.photos.reading` cleaned it.

    Raises:
        InputError: the suffix is not one that is written, or the format cannot hold the picture or the record.
    """
    options = options or WriteOptions()
    form, written = find_written(suffix)
    if max(picture.width, picture.height) > written.most:
        size = f"{picture.width}x{picture.height} pixels as {suffix}"
        larger = [f".{key}" for key, one in WRITTEN.items() if one.written and one.written.most > written.most]
        raise InputError("output", size, f"sides up to {written.most} there; more in {', '.join(larger)}")
    image, notes = _to_image(picture, form.name, written.has_alpha)
    kept = exif if options.keep_metadata else b""
    profile = {"icc_profile": picture.profile} if picture.profile else {}
    stream = BytesIO()
    image.save(stream, form.name, **profile, **written.settings(options, record.texts(), kept))
    return Encoded(stream.getvalue(), notes)


def encode_png(image: Image.Image | npt.NDArray[np.uint8], record: Record) -> Encoded:
    """A PNG of what was made and not photographed: an image, or uint8 (H, W), (H, W, 1) or (H, W, 3) in RGB.

    Equal for equal pixels and an equal record.
    """
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image)
    stream = BytesIO()
    image.save(stream, "PNG", pnginfo=png_chunks(record.texts()))
    return Encoded(stream.getvalue())


def refuse_original(source: Path, target: Path) -> None:
    """Refuse to write where the originals are, even through links.

    Args:
        source: the photograph or the folder of photographs that is edited.
        target: the file or folder to be written; it need not exist.

    Raises:
        InputError: `target` is the source, another name for it, the folder that contains it, or is inside its folder.
    """
    here, there = source.resolve(), target.resolve()
    same = here == there or (target.exists() and source.exists() and target.samefile(source))
    if same or (source.is_file() and there == here.parent):
        raise InputError("output", str(target), f"another place than that of the originals, {source}: none is replaced")
    if source.is_dir() and there.is_relative_to(here):
        raise InputError("output", str(target), f"a folder outside of {source}, or the next run would edit its results")


def _to_image(picture: Picture, form: str, keeps_alpha: bool) -> tuple[Image.Image, tuple[str, ...]]:
    if picture.alpha is None:
        return Image.fromarray(picture.pixels), ()
    if keeps_alpha:
        return Image.fromarray(np.dstack([picture.pixels, picture.alpha])), ()
    return Image.fromarray(flatten(picture)), (f"transparent parts became white: {form} has no transparency",)


def flatten(picture: Picture) -> Pixels:
    """The pixels of a picture laid on white, uint8 (H, W, 3)."""
    if picture.alpha is None:
        return picture.pixels
    share = picture.alpha[..., None].astype(np.uint16)
    laid = picture.pixels * share + 255 * (255 - share)
    return ((laid + 127) // 255).astype(np.uint8)
