"""Foreign text in HTML and in Markdown: it appears as it is and does nothing."""

from __future__ import annotations

import html
import re

from tasks.outlets.terminal import show

MARKS = re.compile(
    r"[\\`*\[\]{}<>|~&#!@$^]|(?<![^\W_])_|_(?![^\W_])|(?<=:)//|(?<=www)\.|^\s*(?:[-+](?!\S)|[-=:]{2,}|\d+[.)](?!\S))",
    re.IGNORECASE,
)
"""What Markdown (CommonMark, GitHub's tables and links, Showdown, mathematics) may take for markup within a line."""


def to_html(text: str) -> str:
    """`text` for the content of an element or for a quoted attribute."""
    return html.escape(show(text))


def to_markdown(text: str) -> str:
    """`text` within a line or a table's cell: numeric entities stand for what Markdown would take for markup.

    An entity never starts an emphasis, a link, a tag, a list or a cell (CommonMark 0.31, section 2.5), in all dialects.
    """
    return MARKS.sub(lambda found: "".join(f"&#{ord(one)};" for one in found[0]), show(text))


def from_html(text: str) -> str:
    """What `to_html` was given, its steering characters aside."""
    return html.unescape(text)
