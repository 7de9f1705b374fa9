"""Foreign text on a terminal and in JSON: what would steer, hide or reorder it becomes visible."""

from __future__ import annotations

import json
import re
import unicodedata

STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's general categories of control, format, surrogate and separator characters."""
JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners, which Persian, Indian scripts and emoji need."""


def is_steering(character: str) -> bool:
    """Whether a terminal would obey the character, or a reader would not see it."""
    return unicodedata.category(character) in STEERING and character not in JOINERS


def show(text: str, keep: str = "") -> str:
    """`text` with steering characters written as Python escapes (`\\x1b`, `\\u202e`); those in `keep` stay.

    A byte of a name that is not UTF-8 appears as `\\x80` to `\\xff`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(one) if is_steering(one) and one not in keep else one for one in text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: an undecodable byte
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode()


def show_json(document: str) -> str:
    """A JSON document for a terminal: in its strings, steering characters are JSON escapes, so it reads the same."""
    return re.sub(r"[^\x20-\x7e\n]", lambda found: _json_escape(found[0]), document)


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1] if is_steering(character) else character
