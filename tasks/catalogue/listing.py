"""Which files a folder of photos holds, and what their folders and `catalogue.csv` say about each."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from models.errors import CatalogueError
from tasks.catalogue.wordnet import name_categories
from tasks.photos.formats import is_image_name
from tasks.workspace.places import refuse_leaving

TABLE = "catalogue.csv"
COLUMNS = ("sku", "file", "category", "split", "licence", "consent")
SPLITS = {"train": "train", "validation": "validation", "val": "validation", "valid": "validation", "test": "test"}


@dataclass(frozen=True)
class Listing:
    """One image file: `file` is relative to the catalogue's folder, with slashes; `split` is "" when none is given."""

    sku: str
    file: str
    category: str
    split: str
    licence: str = ""
    consent: str = ""


def list_photos(folder: Path) -> list[Listing]:
    """The files of a catalogue of photos, in the order of their names.

    The layout is `CATEGORY/x.jpg` or `SPLIT/CATEGORY/x.jpg`; `catalogue.csv` takes precedence over what the folders
    say. Folders named by WordNet id, as ImageNet has them, give their category's name where one of `wnids.TABLES` knows
    it. Hidden files, and files beside the category folders that are not images (a README), are left out.

    Raises:
        CatalogueError: there is no such folder, it holds no files, a split's images are not in category folders, or
            `catalogue.csv` or a table of names is wrong (line and column named).
    """
    if not folder.is_dir():
        raise CatalogueError(f"catalogue: {folder} is not a folder")
    refuse_leaving(folder)
    listings = _from_folders(folder)
    if not listings:
        raise CatalogueError(f"catalogue: {folder} holds no images; expected CATEGORY/x.jpg or SPLIT/CATEGORY/x.jpg")
    names = name_categories(folder, {listing.category for listing in listings})
    listings = [replace(listing, category=names.get(listing.category, listing.category)) for listing in listings]
    table = folder / TABLE
    listings = _complete(listings, table) if table.exists() else listings
    _refuse_flat_split(folder, listings)
    return listings


def _from_folders(folder: Path) -> list[Listing]:
    files = sorted(_walk(folder))
    bare = Counter(file.with_suffix("") for file in files)
    return [_from_path(file, unique=bare[file.with_suffix("")] == 1) for file in files]


def _walk(folder: Path) -> list[PurePosixPath]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        relative = PurePosixPath(Path(parent).relative_to(folder).as_posix())
        top = relative == PurePosixPath()
        found += [relative / name for name in names if not name.startswith(".") and (not top or is_image_name(name))]
    return found


def _from_path(file: PurePosixPath, unique: bool) -> Listing:
    *folders, _ = file.parts
    split = SPLITS.get(folders[0].lower(), "") if len(folders) > 1 else ""
    category = "".join(folders[1:2] if split else folders[:1])
    return Listing(str(file.with_suffix("") if unique else file), str(file), category, split)


def _refuse_flat_split(folder: Path, listings: list[Listing]) -> None:
    """Refuse `val/x.jpg` beside `train/CATEGORY/x.jpg`: there `val` is a split without categories, not a category."""
    if not any(listing.file.count("/") > 1 and listing.split for listing in listings):
        return
    tops = [(listing, listing.file.split("/")[0]) for listing in listings if listing.file.count("/") == 1]
    flat = [top for listing, top in tops if top.lower() in SPLITS and listing.category == top]
    if flat:
        raise CatalogueError(
            f"catalogue: {folder / flat[0]} holds {flat.count(flat[0]):,} files in no category folder: sort them into "
            f"{flat[0]}/CATEGORY/, or name the category of each in {TABLE}; files of annotations are not read"
        )


def _complete(listings: list[Listing], table: Path) -> list[Listing]:
    by_file = {listing.file: listing for listing in listings}
    seen: dict[str, int] = {}
    for line, row in _read_rows(table):
        file = row["file"]
        where = f"{table}, line {line}"
        if file not in by_file:
            raise CatalogueError(f"{where}, column file: {file!r} is not an image in {table.parent}")
        if file in seen:
            raise CatalogueError(f"{where}, column file: {file!r} stands on line {seen[file]} already")
        if row.get("split"):
            row["split"] = _parse_split(row["split"], where)
        seen[file] = line
        by_file[file] = replace(by_file[file], **{column: value for column, value in row.items() if value})
    return list(by_file.values())


def _parse_split(value: str, where: str) -> str:
    if value.lower() not in SPLITS:
        raise CatalogueError(f"{where}, column split: got {value!r}, allowed: empty or one of {', '.join(SPLITS)}")
    return SPLITS[value.lower()]


def _read_rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    """The table's rows with their line numbers; every row has all the header's columns, stripped."""
    try:
        text = table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = table.read_bytes()[: error.start].count(b"\n") + 1
        raise CatalogueError(f"{table}, line {line}: not UTF-8 text; save the table as UTF-8") from error
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(header, table)
        rows = [(reader.line_num, row) for row in reader if any(row)]
    except csv.Error as error:
        raise CatalogueError(f"{table}, line {reader.line_num}: {error}") from error
    for line, row in rows:
        if len(row) != len(header):
            raise CatalogueError(
                f"{table}, line {line}: {len(row)} values where the header names {len(header)} columns"
            )
    return [(line, dict(zip(header, map(str.strip, row), strict=True))) for line, row in rows]


def _check_header(header: list[str], table: Path) -> None:
    wrong = [name for name in header if name not in COLUMNS or header.count(name) > 1]
    if wrong or "file" not in header:
        problem = f"unknown or repeated column {wrong[0]!r}" if wrong else "no column 'file'"
        raise CatalogueError(f"{table}, line 1: {problem}, allowed: {', '.join(COLUMNS)} ('file' is needed)")
