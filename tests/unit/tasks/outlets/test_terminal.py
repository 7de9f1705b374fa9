import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.outlets.terminal import is_steering, show, show_json

ANY = st.text(st.characters(), max_size=40)  # surrogates, controls and unassigned characters too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("shoe.jpg", "shoe.jpg"),
        ("鞋子 – Größe 8", "鞋子 – Größe 8"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("a\u2028b\ufeff", "a\\u2028b\\ufeff"),
        ("two\nlines\r\t", "two\\nlines\\r\\t"),
        ("\udcff\udc80", "\\xff\\x80"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("👩\u200d🔧", "👩\u200d🔧"),
    ],
)
def test_what_steers_becomes_visible_and_nothing_else_changes(text, shown):
    assert show(text) == shown


def test_characters_can_be_kept():
    assert show("one\n\ttwo\x1b", keep="\n\t") == "one\n\ttwo\\x1b"


@given(ANY)
def test_nothing_that_steers_is_left_and_it_can_be_written(text):
    shown = show(text)
    assert not any(map(is_steering, shown))
    shown.encode()
    assert show(shown) == shown


@given(st.dictionaries(ANY, ANY))
def test_json_reads_the_same_and_steers_nothing(document):
    written = show_json(json.dumps(document, indent=1, ensure_ascii=False))
    assert json.loads(written) == document
    assert not any(map(is_steering, written.replace("\n", "")))
    written.encode()
