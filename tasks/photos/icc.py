"""Colour profiles (ICC): pixels converted to sRGB, or left in a profile that travels with them."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from models.errors import CatalogueError

SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
GRID = np.linspace(0, 255, 9).round().astype(np.uint8)
SAME = 2  # levels: no eye can tell a smaller difference, and sRGB profiles of different vendors agree no better


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """`image` (mode "RGB", "L" or "CMYK") with its colours converted from `profile` to sRGB, perceptually, mode "RGB".

    A profile that is sRGB under another name leaves the pixels as they are.

    Raises:
        CatalogueError: the profile is damaged, or is for another kind of pixels.
    """
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        _check_space(source, image.mode)
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, image.mode, "RGB", ImageCms.Intent.PERCEPTUAL)
        if image.mode == "RGB" and _changes_nothing(transform):
            return image
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise CatalogueError(f"a damaged profile: {' '.join(str(error).split())}") from error
    if converted is None:
        raise CatalogueError("a damaged profile: nothing was converted")
    return converted


def check_rgb(profile: bytes) -> None:
    """Check that `profile` can travel with RGB pixels.

    Raises:
        CatalogueError: it is damaged, or is for other pixels.
    """
    try:
        _check_space(ImageCms.ImageCmsProfile(BytesIO(profile)), "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError) as error:
        raise CatalogueError(f"a damaged profile: {' '.join(str(error).split())}") from error


def describe(profile: bytes) -> str:
    """A profile's own name, such as "Display P3"."""
    try:
        text = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, TypeError):
        return "without a name"
    return " ".join(text.split()) or "without a name"


def _check_space(source: ImageCms.ImageCmsProfile, mode: str) -> None:
    space = str(source.profile.xcolor_space).strip()
    if space != SPACES[mode]:
        raise CatalogueError(f"a profile for {space} pixels, not for {SPACES[mode]}")


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    colours = np.stack(np.meshgrid(GRID, GRID, GRID), axis=-1).reshape(GRID.size, -1, 3)
    converted = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform))
    return int(np.abs(converted.astype(np.int16) - colours).max()) <= SAME
