"""The table of a batch: whole rows at any time, also with names that are not UTF-8."""

import csv
import os
from pathlib import Path

import pytest

from models.errors import StorageError
from tasks.editing.table import TABLE, Row, Table


def read(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_row_is_there_as_soon_as_it_is_added(tmp_path):
    with Table(tmp_path / TABLE) as table:
        assert read(table.path) == []
        table.add(Row(input='a "b", c.jpg', output="a.png", status="edited", width=40, may_alter_product=False))
        (row,) = read(table.path)
    assert list(row) == list(Row.model_fields)
    assert (row["input"], row["width"], row["may_alter_product"]) == ('a "b", c.jpg', "40", "False")
    assert row["height"] == row["reason"] == ""  # not measured


def test_a_name_that_is_not_utf8_is_written_with_escapes(tmp_path):
    with Table(tmp_path / TABLE) as table:
        table.add(Row(input=os.fsdecode(b"caf\xe9.jpg"), status="broken", reason="empty: 0 bytes"))
    assert read(tmp_path / TABLE)[0]["input"] == "caf\\xe9.jpg"


def test_a_table_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=rf"^cannot write .*file/{TABLE}: Not a directory$"):
        Table(tmp_path / "file" / TABLE)
    with pytest.raises(StorageError, match=r"^disk full: writing /dev/full failed"), Table(Path("/dev/full")) as table:
        table.add(Row(input="a.jpg", status="edited"))


def test_no_cell_is_computed_by_a_spreadsheet(tmp_path):
    with Table(tmp_path / TABLE) as table:
        table.add(Row(input="=cmd|' /C calc'!A0.jpg", status="broken", reason="@SUM(1)\x1b[2J", product_delta_e=-0.5))
    (row,) = read(tmp_path / TABLE)
    assert (row["input"], row["reason"]) == ("'=cmd|' /C calc'!A0.jpg", "'@SUM(1)\\x1b[2J")
    assert row["product_delta_e"] == "-0.5"
