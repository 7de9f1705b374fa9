"""Foreign text in a CSV file: a spreadsheet shows it and computes nothing."""

from __future__ import annotations

import re

from tasks.outlets.terminal import show

FORMULA = re.compile(r"\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20]")
"""How a spreadsheet's formula or command begins, also in full-width forms."""
QUOTE = "'"


def to_cell(text: str) -> str:
    """`text` for a cell: an apostrophe goes before what would be computed, which spreadsheets take for "this is text".

    Text that begins with an apostrophe gets one more, so that `from_cell` is exact.
    """
    shown = show(text)
    return QUOTE + shown if shown.startswith(QUOTE) or FORMULA.match(shown) else shown


def from_cell(cell: str) -> str:
    """The text that `to_cell` was given, with its steering characters as escapes."""
    return cell.removeprefix(QUOTE)
