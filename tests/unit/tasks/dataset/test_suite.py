"""One table judged by one suite: a result for each expectation, with the rows that failed it."""

from html.parser import HTMLParser

import pandas as pd
import pytest

from models.errors import StorageError
from tasks.dataset.suite import Suite

# great_expectations itself imports deprecated modules.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")

WIDE = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "width", "min_value": 32},
    "description": "every image is at least 32 pixels wide",
    "meta": {"found": "{width} pixels wide"},
}
ENOUGH = {
    "type": "expect_table_row_count_to_be_between",
    "kwargs": {"min_value": 3},
    "meta": {"quarantine": False},
}
KINDS = {
    "type": "expect_column_distinct_values_to_contain_set",
    "kwargs": {"column": "category", "value_set": ["bag", "boot", "hat"]},
    "description": "every category is there",
    "meta": {},
}
LOST = {
    "type": "expect_column_values_to_not_be_null",
    "kwargs": {"column": "price"},
    "description": "priced",
    "meta": {},
}


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    expectations = [WIDE, ENOUGH, KINDS, LOST]
    return Suite({"name": "shop", "expectations": expectations}, "shop", tmp_path_factory.mktemp("docs") / "data-docs")


@pytest.fixture(scope="module")
def judged(suite):
    rows = [(0, "sku-0", "a.jpg", 64, "bag"), (1, "sku-1", "b.jpg", 20, "boot"), (2, "sku-2", "c.jpg", 16, "bag")]
    results = suite.judge(pd.DataFrame(rows, columns=["row", "sku", "file", "width", "category"]), "first")
    return {one.type: one for one in results}


def test_failing_rows_are_named_with_what_to_say_of_them(judged):
    wide = judged[WIDE["type"]]
    assert (wide.column, wide.passed) == ("width", False)
    assert (wide.expected, wide.found) == (WIDE["description"], "{width} pixels wide")
    assert (wide.observed, wide.rows) == ("2 of 3 failed", (1, 2))
    assert wide.may_set_aside


def test_a_judgement_of_the_whole_table_has_no_rows(judged):
    enough, kinds = judged[ENOUGH["type"]], judged[KINDS["type"]]
    assert (enough.passed, enough.rows, enough.observed, enough.column) == (True, (), "3", "")
    assert enough.expected == ENOUGH["type"]  # it has no words of its own
    assert not enough.may_set_aside
    assert (kinds.passed, kinds.rows, kinds.observed) == (False, (), "missing: hat")


def test_what_could_not_be_judged_failed_and_says_why(judged):
    lost = judged[LOST["type"]]
    assert not lost.passed
    assert '"price"' in lost.observed
    assert "\n" not in lost.observed


def test_each_judgement_has_its_page_and_old_pages_go(suite, judged):
    suite.docs.mkdir(exist_ok=True)
    (suite.docs / "old.html").write_text("of another suite")
    index = suite.write_docs()
    assert index == suite.docs / "index.html"
    assert "shop" in index.read_text()
    assert not (suite.docs / "old.html").exists()


def test_pages_that_cannot_be_written_are_one_line(suite, judged, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(suite, "docs", tmp_path / "file")
    with pytest.raises(StorageError, match=rf"^cannot write {tmp_path}/file: "):
        suite.write_docs()


class Live(HTMLParser):
    """What a browser would run or load of a page: scripts, and all attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.live, self.text, self._script = "", "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag in ("script", "style")
        self.live += f"{tag} " + " ".join(f"{name}={value}" for name, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script:
            self.live += data
        else:
            self.text += data


def test_names_run_nothing_in_the_data_docs(tmp_path):
    names = [
        "<script>foreign731</script>",
        '"><img src=x onerror=foreign731>',
        "'+foreign731+'",
        "$foreign731 {{foreign731}}",
    ]
    rows = [(number, name, f"{name}/{name}.jpg", 16, name) for number, name in enumerate(names)]
    listed = {**KINDS, "type": "expect_column_values_to_be_in_set"}
    suite = Suite({"name": "shop", "expectations": [WIDE, listed]}, "shop", tmp_path / "docs")
    table = pd.DataFrame(rows, columns=["row", "sku", "file", "width", "category"])
    judged = suite.judge(table, "hostile names")
    assert [one.rows for one in judged] == [(0, 1, 2, 3)] * 2
    pages = [Live(path.read_text()) for path in suite.write_docs().parent.rglob("*.html")]
    assert not any("foreign731" in page.live for page in pages)
    shown = "".join(page.text for page in pages)
    assert all(name in shown for name in names[:3])
