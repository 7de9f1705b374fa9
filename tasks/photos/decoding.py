"""Photographs decoded to upright 8-bit pixels, and measured; a bad file is described, not raised."""

from __future__ import annotations

import hashlib
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from models.errors import CatalogueError
from models.imaging.inspection.fingerprint import HASH_SIDE, shrink
from models.imaging.inspection.statistics import measure_pixels
from tasks.photos.formats import BY_NAME
from tasks.photos.limits import MAX_PIXELS, MAX_SIDE, MOST_METADATA, MOST_PAGES, MOST_READS, MOST_SCANS
from tasks.photos.photo_file import PhotoFile, read_file
from tasks.workspace.progress import NullProgress, Progress

READ = tuple(BY_NAME)
"""Pillow's names of the formats that are read; it never tries another, for its reader of PostScript runs a program."""
MAX_THREADS = 4  # each may hold a photograph of MAX_PIXELS, about 0.6 GB
WALKED = ("GIF", "TIFF")  # frames that are found by walking; other formats state their number
STILL_FORMATS = ("MPO",)  # a phone's JPEG with a second picture (depth, gain map) behind the photograph
SIXTEEN_BIT_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
# What Pillow's readers raise on damaged bytes: each format has its own ways.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
    MemoryError,
    RuntimeError,
    AssertionError,
    AttributeError,
)


@dataclass(frozen=True)
class Photo:
    """What one file is: `width` and `height` as displayed, `mode` as stored, `small` see `fingerprint.shrink`.

    `problem` is "" or one line that says why the file cannot be used, in which case nothing further is measured.
    """

    bytes: int = 0
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0
    frames: int = 0
    problem: str = ""
    sha256: str = ""
    mean: float = float("nan")
    std: float = float("nan")
    sharpness: float = float("nan")
    small: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((HASH_SIDE, HASH_SIDE), np.uint8))


def measure_photos(paths: Sequence[Path], progress: Progress | None = None) -> list[Photo]:
    """Measure each file of `paths`, in their order, on up to `MAX_THREADS` cores."""
    listener = progress or NullProgress()
    photos = []
    with quiet_pillow(), ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, MAX_THREADS)) as pool:
        for photo in pool.map(measure_photo, paths):
            photos.append(photo)
            listener.update(len(photos), len(paths), "photos read")
    return photos


def measure_photo(path: Path) -> Photo:
    """Decode the file at `path` and measure it."""
    photo = Photo()
    try:
        content = read_file(path)
        photo = replace(photo, bytes=len(content))
        with opened_photo(content) as image:
            photo = _read_header(photo, image)
            pixels = _to_pixels(image)
    except (CatalogueError, OSError) as error:
        return replace(photo, problem=str(error))
    (mean,), (std,), (sharpness,) = measure_pixels([np.asarray(pixels.convert("L"))])
    return replace(
        photo,
        width=pixels.width,
        height=pixels.height,
        sha256=digest_pixels(pixels.mode, pixels.size, pixels.tobytes()),
        mean=float(mean),
        std=float(std),
        sharpness=float(sharpness),
        small=shrink(pixels),
    )


def read_photo(source: Path | PhotoFile) -> Image.Image:
    """The photograph of a file in mode "L" or "RGB", upright, alpha flattened on white.

    Raises:
        CatalogueError: the file cannot be used; the message has its path and why.
    """
    try:
        with opened_photo(source if isinstance(source, Path) else source.content) as image:
            return _to_pixels(image)
    except CatalogueError as error:
        raise CatalogueError(f"{source}: {error}") from error


def count_pixels(photo: PhotoFile) -> int:
    """The number of pixels a photograph's header states; 0 when it cannot be read."""
    try:
        with opened_photo(photo.content) as image:
            return image.width * image.height
    except CatalogueError:
        return 0


def digest_pixels(mode: str, size: tuple[int, int], content: bytes) -> str:
    """SHA-256 of decoded pixels: equal for equal pictures, whatever file format they came from."""
    digest = hashlib.sha256(f"{mode} {size[0]}x{size[1]}\n".encode())
    digest.update(content)
    return digest.hexdigest()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence Pillow's warnings about odd files: what matters is in the file's `problem`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


class CountedStream(BytesIO):
    """A file's bytes, handed out in `MOST_READS` parts at most."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._left = MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise CatalogueError(f"too many parts: at most {MOST_READS:,} are read")
        return super().read(size)


@contextmanager
def opened_photo(source: Path | bytes) -> Iterator[Image.Image]:
    """The image in a file, or in a file's bytes, its header read.

    Raises:
        CatalogueError: it cannot be opened or, inside the block, decoded; one line says why.
        OSError: there is no such file, or it must not be read.
    """
    content = source if isinstance(source, bytes) else read_file(source)
    if not content:
        raise CatalogueError("empty: 0 bytes")
    try:
        with Image.open(CountedStream(content), formats=READ) as image:
            _check_metadata(image)
            _check_scans(image, content)
            yield image
    except UnidentifiedImageError as error:
        raise CatalogueError(_name_foreign(content[:1024])) from error
    except Image.DecompressionBombError as error:
        raise CatalogueError(f"too large: at most {MAX_PIXELS // 10**6} megapixels are read") from error
    except DECODE_ERRORS as error:
        raise CatalogueError(f"damaged: {' '.join(str(error).split()) or type(error).__name__}") from error


def check_still(image: Image.Image) -> None:
    """Check, before decoding its pixels, that an image is a single picture of a supported size.

    Raises:
        CatalogueError: it is too large, or has several frames or pages.
    """
    if _is_too_large(image):
        limit = f"at most {MAX_PIXELS // 10**6} megapixels are read"
        raise CatalogueError(f"too large: {image.width}x{image.height} pixels, {limit}")
    if max(image.size) > MAX_SIDE:
        raise CatalogueError(f"too large: {image.width}x{image.height} pixels, at most {MAX_SIDE} a side are read")
    frames = count_frames(image)
    if frames > 1 and image.format not in STILL_FORMATS:
        number = f"{frames - 1} or more" if frames > MOST_PAGES else str(frames)
        raise CatalogueError(f"several pages: {number}" if image.format == "TIFF" else f"animated: {number} frames")


def count_frames(image: Image.Image) -> int:
    """How many frames or pages an image has, counted up to `MOST_PAGES` and one more.

    Those of a large GIF are walked as far as their pixels together are `MAX_PIXELS`, for each is decoded on the way.
    """
    if image.format not in WALKED or not getattr(image, "is_animated", False):
        return min(getattr(image, "n_frames", 1), MOST_PAGES + 1)
    most = MOST_PAGES if image.format == "TIFF" else min(MOST_PAGES, MAX_PIXELS // (image.width * image.height))
    frames = 2
    try:
        while frames <= most:
            image.seek(frames)
            frames += 1
    except EOFError:  # Pillow's way to say that there is no such frame
        return frames
    finally:
        image.seek(0)
    return max(frames, 2)


def scale_sixteen(image: Image.Image) -> Image.Image:
    """A grey image of one of `SIXTEEN_BIT_MODES` in mode "L", its 0..65535 rounded to 0..255."""
    values = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))


def _check_metadata(image: Image.Image) -> None:
    values = (value for value in image.info.values() if isinstance(value, str | bytes))
    if sum(map(len, values)) > MOST_METADATA:
        raise CatalogueError(f"too much metadata: at most {MOST_METADATA:,} bytes are read")


def _check_scans(image: Image.Image, content: bytes) -> None:
    # Compressed pixels never hold this marker: a 0xFF among them is followed by 0.
    if (
        image.format in ("JPEG", *STILL_FORMATS)
        and content.count(b"\xff\xda") * image.width * image.height > MOST_SCANS
    ):
        raise CatalogueError("too many scans for a JPEG of its size: save it anew")


def _name_foreign(start: bytes) -> str:
    """Why bytes that no reader knows are refused, naming the few kinds that people do try."""
    if b"<svg" in start.lower():
        return "a drawing (SVG), not pixels: export it as PNG"
    if start[4:8] == b"ftyp" and start[8:12] in HEIF_BRANDS:
        return "HEIC, which is not read: export it as JPEG or PNG"
    return "not an image, or a format that is not read"


def _read_header(photo: Photo, image: Image.Image) -> Photo:
    return replace(
        photo,
        format=image.format or "",
        mode=image.mode,
        width=image.width,
        height=image.height,
        frames=1 if image.format in STILL_FORMATS or _is_too_large(image) else count_frames(image),
    )


def _is_too_large(image: Image.Image) -> bool:
    return image.width * image.height > MAX_PIXELS


def _to_pixels(image: Image.Image) -> Image.Image:
    check_still(image)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return _to_eight_bits(image)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BIT_MODES:
        return scale_sixteen(image)
    if image.mode == "F":
        raise CatalogueError("pixels are floating-point numbers, expected 8 or 16 bits")
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured)
    return image.convert("L" if grey else "RGB")
