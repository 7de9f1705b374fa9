"""What is known about one picture when rules are checked: its header, its pixels, and where the product is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.arrays import Pixels, Planes
from models.errors import CatalogueError
from models.imaging.cutout.doubt import list_doubts
from models.imaging.cutout.matte import find_box, find_product
from tasks.market.header import Header, read_header
from tasks.operations.frame import FAINTEST
from tasks.photos.photo_file import PhotoFile
from tasks.photos.reading import decode_picture
from tasks.photos.writing import flatten

Box = tuple[int, int, int, int]
FindProduct = Callable[[Pixels], Planes]


@dataclass(frozen=True)
class Scene:
    """Pixels, uint8 (H, W, 3), in sRGB on white, and each pixel's share of product, (H, W) in 0..1.

    `box` is the product's (left, top, right, bottom), None when none was found. `doubts` say why it may be wrong.
    """

    pixels: Pixels
    matte: Planes
    box: Box | None
    doubts: tuple[str, ...] = ()

    @property
    def doubt(self) -> str:
        """Why the product's place may be wrong, to end a line with, or ""."""
        return f" (doubtful: {'; '.join(self.doubts)})" if self.doubts else ""


@dataclass(frozen=True)
class Evidence:
    """What rules are checked against; `unseen` says why there is no `scene`."""

    header: Header
    scene: Scene | None
    unseen: str = ""


def gather_evidence(photo: PhotoFile, find_product: FindProduct = find_product) -> Evidence:
    """What is known of a picture.

    For several threads; see `tasks.photos.reading.decode_picture`.

    Raises:
        CatalogueError: it is not a picture, or is damaged; the message has its path and the reason.
        InputError: it holds a damaged record of ours.
    """
    try:
        header = read_header(photo)
    except CatalogueError as error:
        raise CatalogueError(f"{photo}: {error}") from error
    if header.frames > 1:
        return Evidence(header, None, f"animated: {header.frames} frames")
    return Evidence(header, look(flatten(decode_picture(photo).picture), find_product))


def look(pixels: Pixels, find_product: FindProduct = find_product) -> Scene:
    """The scene in `pixels`, uint8 (H, W, 3) in RGB."""
    matte = find_product(pixels)
    return Scene(pixels, matte, find_box(matte, FAINTEST), tuple(list_doubts(pixels, matte)))
