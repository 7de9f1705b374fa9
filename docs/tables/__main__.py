"""Write the tables of the documents anew, where the code says something else by now."""

from __future__ import annotations

import sys

from docs.tables.cells import ROOT
from docs.tables.regions import fill, list_documents

for path in list_documents():
    before = path.read_text()
    after = fill(path, before)
    if after != before:
        path.write_text(after)
        sys.stdout.write(f"{path.relative_to(ROOT)}: tables written anew\n")
