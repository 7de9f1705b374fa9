"""The record that an image carries of its own making, whichever kind it is."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from models.errors import InputError
from tasks.photos.metadata import read_records
from tasks.photos.photo_file import PhotoFile, load_photo
from tasks.provenance.edited import EditRecord
from tasks.provenance.generated import Provenance
from tasks.provenance.grown import TextureRecord
from tasks.provenance.sheet import SheetRecord

Own = Provenance | TextureRecord | SheetRecord | EditRecord
KINDS: tuple[type[Own], ...] = (EditRecord, Provenance, TextureRecord, SheetRecord)


def find_own(source: Path | bytes | PhotoFile) -> Own | None:
    """The record in an image's file, or in a file's bytes; None when it is no image or holds none.

    Raises:
        CatalogueError: the file cannot be read.
        InputError: there is a record, but it is damaged.
    """
    photo = source if isinstance(source, PhotoFile) else load_photo(source)
    texts = read_records(photo.content)
    for kind in KINDS:
        if kind.chunk in texts:
            try:
                return kind.model_validate_json(texts[kind.chunk])
            except ValidationError as error:
                name = str(photo.path or kind.chunk)
                raise InputError("provenance", name, f"a whole record, but: {error.errors()[0]['msg']}") from error
    return None
