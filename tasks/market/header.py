"""What a picture's file says of itself before its pixels are decoded."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from PIL import Image

from models.errors import CatalogueError
from tasks.photos.decoding import STILL_FORMATS, opened_photo
from tasks.photos.icc import describe, to_srgb
from tasks.photos.metadata import read_metadata
from tasks.photos.reading import FORMATS
from tasks.provenance.edited import COMPOSITE, GENERATED, find_record
from tasks.provenance.generated import find_provenance

GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N")
LABELS = (GENERATED, COMPOSITE)


class Header(NamedTuple):
    """Facts of one file: `width` and `height` as displayed; `colour_space` as in `rules.ColourSpace`, or its name.

    `label` is the IPTC digital source type that the file states, or "". `generated_by` is who our own record in the
    file says made the picture, "" where no record says so: of a picture without one nothing is known.
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


def read_header(path: Path) -> Header:
    """The facts of the file at `path`.

    Raises:
        CatalogueError: it is no picture, or damaged; one line says why.
        InputError: it holds a record of ours that was damaged.
        OSError: it cannot be read.
    """
    with opened_photo(path, FORMATS) as image:
        metadata = read_metadata(image)
        sides = image.size if metadata.orientation < 5 else image.size[::-1]  # 5 to 8 turn it by a quarter
        still = image.format in STILL_FORMATS
        return Header(
            name=path.name,
            format="JPEG" if still else image.format or "",
            megabytes=path.stat().st_size / 1e6,
            width=sides[0],
            height=sides[1],
            frames=1 if still else getattr(image, "n_frames", 1),
            transparent=image.has_transparency_data,
            colour_space=name_colour_space(image.mode, image.info.get("icc_profile")),
            tagged="icc_profile" in image.info,
            label=metadata.source_type,
            generated_by=_find_maker(path),
        )


def name_colour_space(mode: str, profile: bytes | None) -> str:
    """ "sRGB" for pixels without a profile, as browsers take them, and for profiles that are sRGB by another name."""
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
    """The name by which rules know a profile, whose makers add years and notes to it."""
    known = ("Display P3", "Adobe RGB")
    return next((one for one in known if one.lower() in name.lower()), name)


def _find_maker(path: Path) -> str:
    made = find_provenance(path)
    if made is not None:
        return f"{made.slot} version {made.version}"
    edited = find_record(path)
    return "an edit by a network" if edited is not None and edited.source_type in LABELS else ""
