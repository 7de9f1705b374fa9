"""Where the development photographs are, which are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

WHAT_TO_SET = "the folder of the development photographs, see CONTRIBUTING.md"


def photo_folder() -> Path:
    """The folder that PACKSHOT_PHOTOS names.

    Raises:
        SystemExit: it names none, or one that is not there.
    """
    named = os.environ.get("PACKSHOT_PHOTOS")
    if not named or not Path(named).is_dir():
        raise SystemExit(f"error: PACKSHOT_PHOTOS: got {named or 'nothing'}, allowed: {WHAT_TO_SET}")
    return Path(named)
