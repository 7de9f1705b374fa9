"""What a picture's file says about itself before its pixels are decoded."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from models.errors import CatalogueError
from tasks.photos.decoding import STILL_FORMATS, count_frames, opened_photo
from tasks.photos.icc import describe, to_srgb
from tasks.photos.metadata import read_metadata
from tasks.photos.photo_file import PhotoFile
from tasks.provenance.embedded import find_own
from tasks.provenance.source_type import COMPOSITE, GENERATED

GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N")
LABELS = (GENERATED, COMPOSITE)


class Header(NamedTuple):
    """Facts of one file: `width` and `height` as displayed; `colour_space` as in `rules.ColourSpace`, or its name.

    `label` is the IPTC digital source type that the file states, or "". `generated_by` is who our own record in the
    file says made the picture, or "" when no record says so: nothing is known about a picture without one.
    """

    name: str
    format: str
    megabytes: float
    width: int
    height: int
    frames: int
    transparent: bool
    colour_space: str
    tagged: bool
    label: str
    generated_by: str

    @property
    def is_labelled(self) -> bool:
        """Whether the file says that a trained algorithm made the picture, or a part of it."""
        return self.label.replace("https://", "http://") in LABELS


def read_header(photo: PhotoFile) -> Header:
    """The facts of a photograph's file.

    Raises:
        CatalogueError: it is not a picture, or is damaged; one line says why.
        InputError: it holds a damaged record of ours.
    """
    own = find_own(photo)
    with opened_photo(photo.content) as image:
        metadata = read_metadata(image)
        sides = image.size if metadata.orientation < 5 else image.size[::-1]  # 5 to 8 turn it by a quarter
        still = image.format in STILL_FORMATS
        return Header(
            name=photo.path.name if photo.path else "",
            format="JPEG" if still else image.format or "",
            megabytes=len(photo.content) / 1e6,
            width=sides[0],
            height=sides[1],
            frames=1 if still else count_frames(image),
            transparent=image.has_transparency_data,
            colour_space=name_colour_space(image.mode, image.info.get("icc_profile")),
            tagged="icc_profile" in image.info,
            label=metadata.source_type,
            generated_by=own.generated_by if own else "",
        )


def name_colour_space(mode: str, profile: bytes | None) -> str:
    """ "sRGB" for pixels without a profile, as browsers assume, and for profiles that are sRGB under another name."""
    if mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        return mode
    if not profile:
        return "grey" if mode in GREY_MODES else "sRGB"
    if profile[16:20] == b"GRAY":
        return "grey"
    probe = Image.new("RGB", (1, 1))
    try:
        return "sRGB" if to_srgb(probe, profile) is probe else _shorten(describe(profile))
    except CatalogueError:
        return "a damaged profile"


def _shorten(name: str) -> str:
    """A profile's name as rules know it, without the years and notes that vendors add."""
    known = ("Display P3", "Adobe RGB")
    return next((one for one in known if one.lower() in name.lower()), name)
