"""Sheets of images for people to look at: a plain grid of equal images, and a contact sheet of captioned ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

from tasks.photos.writing import Record, encode_png, write_image

PAPER = (250, 250, 248)
INK = (38, 38, 42)
FAINT = (128, 128, 134)
FRAME = (214, 214, 210)
MISSING = (236, 232, 226)
MARGIN = 16
GAP = 4
CAPTION_SIZE = 12
TITLE_SIZE = 18

Entry = tuple[Image.Image | None, str]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def grid(
    images: npt.NDArray[np.uint8], columns: int = 8, scale: int = 1, labels: Sequence[str] | None = None
) -> Image.Image:
    """Equal images in rows of `columns`, each enlarged `scale` times without smoothing.

    Args:
        images: uint8 (N, H, W, C), C 1 or 3, N at least 1.
        labels: one short text per image, written below it and shortened to its width.

    Returns:
        An RGB image with even margins and gaps on light paper.

    Raises:
        ValueError: the array is not such a batch, or the number of labels differs from the number of images.
    """
    if images.ndim != 4 or not len(images) or images.shape[3] not in (1, 3) or images.dtype != np.uint8:
        raise ValueError(f"images: got {images.dtype} {images.shape}, allowed: uint8 (N, H, W, 1 or 3) with N >= 1")
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"labels: got {len(labels)}, allowed: one for each of the {len(images)} images")
    font = load_font(CAPTION_SIZE)
    height, width = images.shape[1] * scale, images.shape[2] * scale
    cell = (width + GAP, height + GAP + (line_height(font) if labels is not None else 0))
    columns = min(columns, len(images))
    sheet, origin = new_sheet(len(images), columns, cell)
    pen = ImageDraw.Draw(sheet)
    for number, pixels in enumerate(images):
        corner = (origin[0] + number % columns * cell[0], origin[1] + number // columns * cell[1])
        tile = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        sheet.paste(tile.resize((width, height), Image.Resampling.NEAREST).convert("RGB"), corner)
        if labels is not None:
            middle = corner[0] + width // 2
            pen.text((middle, corner[1] + height + 2), shorten(labels[number], width, font), INK, font, anchor="ma")
    return sheet


def contact_sheet(entries: Sequence[Entry], title: str, columns: int = 6, tile: int = 144) -> Image.Image:
    """Images of any size, each fitted into a square of `tile` pixels with its caption below.

    An entry without an image is shown as a labelled placeholder. Captions are wrapped over at most three lines.

    Raises:
        ValueError: there is no entry.
    """
    if not entries:
        raise ValueError("entries: got none, allowed: at least one (image or None, caption)")
    font = load_font(CAPTION_SIZE)
    columns = min(columns, len(entries))
    captions = [wrap(caption, tile, font, lines=3) for _, caption in entries]
    lines = max(len(caption) for caption in captions)
    cell = (tile + MARGIN, tile + 6 + lines * line_height(font) + MARGIN // 2)
    title_font = load_font(TITLE_SIZE)
    title_lines = wrap(title, columns * cell[0] - MARGIN, title_font, lines=3)
    head = len(title_lines) * line_height(title_font) + MARGIN // 2
    sheet, origin = new_sheet(len(entries), columns, cell, gap=(MARGIN, MARGIN // 2), head=head)
    pen = ImageDraw.Draw(sheet)
    write_lines(pen, (MARGIN, MARGIN), title_lines, title_font)
    for number, (image, _) in enumerate(entries):
        corner = (origin[0] + number % columns * cell[0], origin[1] + number // columns * cell[1])
        paste_fitted(sheet, image, corner, tile)
        write_lines(pen, (corner[0], corner[1] + tile + 6), captions[number], font)
    return sheet


def save_sheet(sheet: Image.Image, path: Path, record: Record) -> Path:
    """Write a sheet as PNG, whole or not at all; what was at `path` before is replaced."""
    write_image(path, encode_png(sheet, record), replace=True)
    return path


def new_sheet(
    count: int, columns: int, cell: tuple[int, int], gap: tuple[int, int] = (GAP, GAP), head: int = 0
) -> tuple[Image.Image, tuple[int, int]]:
    """An empty sheet for `count` cells (each with its gap right and below), and its first cell's top left corner."""
    rows = -(-count // columns)
    size = (2 * MARGIN + columns * cell[0] - gap[0], 2 * MARGIN + head + rows * cell[1] - gap[1])
    return Image.new("RGB", size, PAPER), (MARGIN, MARGIN + head)


def paste_fitted(sheet: Image.Image, image: Image.Image | None, corner: tuple[int, int], tile: int) -> None:
    """Put `image`, fitted and centred, or a placeholder, in a framed square at `corner`."""
    square = Image.new("RGB", (tile, tile), "white" if image is not None else MISSING)
    pen = ImageDraw.Draw(square)
    if image is None:
        pen.line((0, 0, tile, tile), FRAME, 2)
        pen.line((0, tile, tile, 0), FRAME, 2)
        font = load_font(CAPTION_SIZE)
        pen.text((tile // 2, tile // 2), "no image", FAINT, font, anchor="mm", stroke_width=4, stroke_fill=MISSING)
    else:
        small = max(image.size) * 2 < tile
        method = Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
        fitted = ImageOps.contain(image.convert("RGB"), (tile, tile), method)
        square.paste(fitted, ((tile - fitted.width) // 2, (tile - fitted.height) // 2))
    pen.rectangle((0, 0, tile - 1, tile - 1), outline=FRAME)
    sheet.paste(square, corner)


def load_font(size: int) -> Font:
    """Pillow's own font, so that a sheet looks the same on every machine."""
    return ImageFont.load_default(size)


def line_height(font: Font) -> int:
    """Pixels from one line of text to the next."""
    return round(font.getbbox("Ag")[3] * 1.25)


def write_lines(pen: ImageDraw.ImageDraw, corner: tuple[int, int], lines: Sequence[str], font: Font) -> None:
    """Write lines of text below each other."""
    for number, line in enumerate(lines):
        pen.text((corner[0], corner[1] + number * line_height(font)), line, INK, font)


def shorten(text: str, width: int, font: Font) -> str:
    """`text`, cut and ended with an ellipsis if it is wider than `width` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def wrap(text: str, width: int, font: Font, lines: int) -> list[str]:
    """`text` broken at spaces, and its own line breaks, into at most `lines` lines of `width` pixels."""
    broken: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width:
                broken.append(line)
                longer = word
            line = longer
        broken.append(line)
    if len(broken) > lines:
        broken = [*broken[: lines - 1], " ".join(broken[lines - 1 :])]
    return [shorten(line, width, font) for line in broken]
