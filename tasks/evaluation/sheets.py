"""The pictures by which people compare versions: the same seeds and categories are in the same place in each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from models.arrays import Images
from models.exported.generator import ExportedGenerator
from models.exported.noise import BATCH, latents, spread_categories
from models.pixels import to_bytes
from tasks.photos.contact_sheet import (
    CAPTION_SIZE,
    FAINT,
    GAP,
    INK,
    MARGIN,
    PAPER,
    TITLE_SIZE,
    Entry,
    contact_sheet,
    line_height,
    load_font,
    new_sheet,
    shorten,
    write_lines,
)
from tasks.photos.decoding import opened_photo

SEED = 7
COLUMNS = 12
STEPS = 9
MOST_ROWS = 24
TILE = 64
LABEL_WIDTH = 108


def version_sheet(generator: ExportedGenerator, title: str) -> Image.Image:
    """One row per category (the first `MOST_ROWS`), one column per latent point, the same for all rows.

    A generator that takes no category shows as many rows of other latent points instead.
    """
    rows = min(len(generator.categories), MOST_ROWS)
    if generator.conditional:
        noise = np.tile(latents(COLUMNS, generator.latent, SEED), (rows, 1))
        labels = generator.categories[:rows]
    else:
        noise = latents(rows * COLUMNS, generator.latent, SEED)
        labels = [f"any, {row + 1}" for row in range(rows)]
    images = draw(generator, noise, np.repeat(np.arange(rows), COLUMNS))
    about = f"one row a category, one column a point of the noise (seed {SEED}): the same place in every version"
    return rows_sheet(images.reshape(rows, COLUMNS, *images.shape[1:]), labels, title, about)


def interpolation_sheet(generator: ExportedGenerator, title: str) -> Image.Image:
    """One row per interpolation between two fixed latent points, at a fixed category."""
    rows = min(len(generator.categories), MOST_ROWS)
    ends = latents(2 * rows, generator.latent, SEED)
    noise = np.concatenate([interpolate(ends[2 * row], ends[2 * row + 1], STEPS) for row in range(rows)])
    images = draw(generator, noise, np.repeat(spread_categories(rows, len(generator.categories)), STEPS))
    labels = generator.categories[:rows] if generator.conditional else [f"walk {row + 1}" for row in range(rows)]
    about = "each row walks from one point of the noise to another, along the sphere"
    return rows_sheet(images.reshape(rows, STEPS, *images.shape[1:]), labels, title, about)


def interpolate(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32], steps: int) -> npt.NDArray[np.float32]:
    """`steps` points (steps, latent) along the great circle from one to the other (White 2016, section 2.1).

    Noise N(0, 1) lies near a sphere; a straight line would leave it for images that the generator never learned.
    """
    cosine = float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
    angle = max(float(np.arccos(np.clip(cosine, -1, 1))), 1e-6)
    shares = np.linspace(0, 1, steps)[:, None]
    path = (np.sin((1 - shares) * angle) * first + np.sin(shares * angle) * second) / np.sin(angle)
    points: npt.NDArray[np.float32] = path.astype(np.float32)
    return points


def draw(generator: ExportedGenerator, noise: npt.NDArray[np.float32], categories: npt.NDArray[np.int64]) -> Images:
    """Images uint8 (N, H, W, C) of noise (N, latent) and categories (N,)."""
    parts = [slice(start, start + BATCH) for start in range(0, len(noise), BATCH)]
    return np.concatenate([to_bytes(generator.run(noise[part], categories[part])) for part in parts])


def film_strip(folder: Path, height: int, title: str) -> Image.Image | None:
    """One row per evaluation of the training in `folder`: the first row of each grid of samples, with fixed seeds.

    At most `MOST_ROWS` evenly spaced rows, including the first and the last; None when there are no grids.
    """
    frames = sorted(folder.glob("samples-*.png"))
    if len(frames) < 2:
        return None
    chosen = np.unique(np.linspace(0, len(frames) - 1, MOST_ROWS).round().astype(int))
    strips, labels = [], []
    for frame in (frames[index] for index in chosen):
        with opened_photo(frame) as sheet:
            strips.append(sheet.convert("RGB").crop((MARGIN, MARGIN, sheet.width - MARGIN, MARGIN + height)))
        labels.append(f"update {int(frame.stem.removeprefix('samples-')):,}")
    scale = enlargement(height)
    wide = [strip.resize((strip.width * scale, strip.height * scale), Image.Resampling.NEAREST) for strip in strips]
    return label_rows(wide, labels, title, "the same seeds at each evaluation of the training")


def pairs_sheet(samples: Images, training: Images, differences: npt.NDArray[np.float32], title: str) -> Image.Image:
    """Each sample beside the training image nearest to it."""
    entries: list[Entry] = []
    for sample, nearest, difference in zip(samples, training, differences, strict=True):
        entries.append((to_picture(sample), "sample"))
        entries.append((to_picture(nearest), f"nearest, {difference:.1f} levels off"))
    return contact_sheet(entries, title)


def rows_sheet(images: npt.NDArray[np.uint8], labels: Sequence[str], title: str, about: str) -> Image.Image:
    """Images uint8 (rows, columns, H, W, C) in rows with a label before each."""
    scale = enlargement(images.shape[2])
    return label_rows([join(row, scale) for row in images], labels, title, about)


def join(images: Images, scale: int) -> Image.Image:
    """Images uint8 (N, H, W, C) side by side, each enlarged `scale` times without smoothing."""
    count, height, width, _ = images.shape
    strip = Image.new("RGB", (count * (width * scale + GAP) - GAP, height * scale), PAPER)
    for number, pixels in enumerate(images):
        tile = to_picture(pixels).resize((width * scale, height * scale), Image.Resampling.NEAREST)
        strip.paste(tile, (number * (width * scale + GAP), 0))
    return strip


def label_rows(strips: Sequence[Image.Image], labels: Sequence[str], title: str, about: str) -> Image.Image:
    """Strips of equal size stacked vertically, each with its label on the left, under a title and an explanation."""
    font, title_font = load_font(CAPTION_SIZE), load_font(TITLE_SIZE)
    width, height = strips[0].size
    head = line_height(title_font) + line_height(font) + MARGIN
    sheet, (left, top) = new_sheet(len(strips), 1, (LABEL_WIDTH + width + GAP, height + GAP), head=head)
    pen = ImageDraw.Draw(sheet)
    write_lines(pen, (MARGIN, MARGIN), [shorten(title, LABEL_WIDTH + width, title_font)], title_font)
    pen.text((MARGIN, MARGIN + line_height(title_font)), shorten(about, LABEL_WIDTH + width, font), FAINT, font)
    for row, (strip, label) in enumerate(zip(strips, labels, strict=True)):
        y = top + row * (height + GAP)
        pen.text((left, y + height // 2), shorten(label, LABEL_WIDTH - 8, font), INK, font, anchor="lm")
        sheet.paste(strip, (left + LABEL_WIDTH, y))
    return sheet


def enlargement(side: int) -> int:
    """The enlargement factor for an image of `side` pixels."""
    return max(1, TILE // side)


def to_picture(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """uint8 (H, W, 1 or 3) as a picture."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
