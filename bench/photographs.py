"""Where the development photographs are, which are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path


def photo_folder() -> Path:
    """The folder that PACKSHOT_PHOTOS names, else `../shared/data`; it need not be there."""
    return Path(os.environ.get("PACKSHOT_PHOTOS", "../shared/data"))
