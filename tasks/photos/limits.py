"""What the reader of photographs takes at most; whatever is larger is refused in one line."""

from __future__ import annotations

MOST_BYTES = 2**30
"""Of a file: sixteen bits a channel of the most pixels that are read take half of it."""
MAX_PIXELS = 64_000_000
MAX_SIDE = 20_000
MOST_PAGES = 100
"""Pages or frames that are counted: a file may state any number, and each is found by walking to it."""
MOST_METADATA = 2**24
"""Bytes of a file's profile, EXIF, XMP and texts together, as they are decompressed."""
MOST_READS = 500_000
"""Parts that a file is read in: chunks, blocks and directories cost time by their number, whatever their size."""
MOST_SCANS = 2**30
"""Scans of a progressive JPEG times its pixels, for each scan passes over all of them: 16 of the most pixels."""
