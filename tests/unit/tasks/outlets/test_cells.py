import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.outlets.cells import FORMULA, from_cell, to_cell
from tasks.outlets.terminal import show


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        " =1",
        "\r=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠A1",
        "|calc",
        "%0A=1",
        "\u00a0=1",
    ],
)
def test_no_cell_begins_as_a_formula(text):
    assert to_cell(text).startswith(("'", "\\"))
    assert not FORMULA.match(to_cell(text))


@pytest.mark.parametrize("text", ["shoe.jpg", "", "a=b", "鞋子", "1.5"])
def test_other_text_is_as_it_was(text):
    assert to_cell(text) == text


@given(st.lists(st.text(st.characters(), max_size=20), min_size=1, max_size=4))
def test_what_is_written_is_read_back(texts):
    file = io.StringIO()
    csv.writer(file).writerow([to_cell(text) for text in texts])
    (row,) = csv.reader(io.StringIO(file.getvalue()))
    assert [from_cell(cell) for cell in row] == [show(text) for text in texts]
    assert not any(FORMULA.match(cell) for cell in row)
