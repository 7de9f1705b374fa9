"""The tables of the documents say what the code says."""

from __future__ import annotations

import pytest
import yaml

from docs.tables.cells import DOCS, ROOT, Words, table
from docs.tables.families import write_figures
from docs.tables.regions import REGION, fill, list_documents
from models.families.discovery import find_families
from tasks.operations.contract.discovery import list_operations
from tests.documents import READMES

MOST_LINES = 130


@pytest.mark.parametrize("path", list_documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_committed_text_is_what_the_code_says(path):
    text = path.read_text()
    assert fill(path, text) == text, "write it anew: python -m docs.tables"


def test_a_region_that_nothing_writes_is_named_with_those_there_are():
    text = "<!-- generated: colours -->\n<!-- end -->"
    with pytest.raises(
        ValueError, match=r"generated: got 'colours', allowed: one of commands, .*, parameters of \.\.\."
    ):
        fill(DOCS / "index.md", text)


def test_a_region_within_a_line_stays_in_it():
    filled = fill(DOCS / "index.md", "for <!-- generated: names of markets -->x<!-- end --> and others")
    assert filled == "for <!-- generated: names of markets -->`amazon`, `ebay`, `google`<!-- end --> and others"


def test_a_title_without_chinese_words_is_shown_in_english():
    words = Words({"families": {"dcgan": "卷积"}})
    assert words.say("families", "dcgan", "Convolutional") == "卷积"
    assert words.say("families", "ragan", "Relativistic") == "Relativistic"


def test_chinese_words_are_of_what_there_is():
    known = yaml.safe_load((DOCS / "zh.yaml").read_text())
    assert known["families"].keys() <= find_families().keys()
    assert known["operations"].keys() <= set(list_operations())


def test_a_cell_may_hold_a_bar():
    assert table(["a"], [["b|c"]]).endswith("| b\\|c |")


def test_figures_are_the_rows_of_the_benchmarks_that_name_the_family():
    figures = write_figures("espcn", Words({}))
    assert "[Super-resolution: Set5](../benchmarks.md#super-resolution-set5)" in figures
    assert "| x2 | espcn |" in figures
    assert "srcnn" not in figures


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_a_readme_is_read_to_the_end(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_both_readmes_have_the_same_headings_and_regions():
    english, chinese = (path.read_text() for path in READMES)
    assert english.count("\n## ") == chinese.count("\n## ")
    assert [name for _, name, _, _ in REGION.findall(english)] == [name for _, name, _, _ in REGION.findall(chinese)]


def test_every_deployment_has_a_page_with_its_parameters():
    for entry in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]:
        page = DOCS / "flows" / f"{entry['name']}.md"
        assert f"<!-- generated: parameters of the flow {entry['name']} -->" in page.read_text()
