from html.parser import HTMLParser

import markdown
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.outlets.markup import from_html, to_html, to_markdown
from tasks.outlets.terminal import show

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "a | b | c",
    "![x](https://evil.example/x.png)",
    "[click](javascript:alert(1))",
    "https://evil.example",
    "www.evil.example",
    "a@evil.example",
    "`code`",
    "**bold** _under_ ~~gone~~",
    "# title",
    "- item",
    "1. item",
    "=====",
    "| - |",
    "two\n\n# lines",
    "&lt;script&gt;",
    "{{7*7}}",
    "$$x$$",
    "\\[x\\]",
]


class Elements(HTMLParser):
    """The elements of a page, their attributes, and the text in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert attrs == []

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_html_shows_it_and_does_nothing(text):
    found = Elements(f"<p>{to_html(text)}</p>")
    assert found.tags == ["p"]
    assert found.text == show(text) == from_html(to_html(text))
    assert "'" not in to_html(text)
    assert '"' not in to_html(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_it_and_does_nothing(text):
    found = Elements(markdown.markdown(to_markdown(text)))
    assert found.tags == ["p"]
    assert found.text.strip() == show(text).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_tables_cell_stays_one(text):
    page = markdown.markdown(f"| a | b |\n|---|---|\n| {to_markdown(text)} | end |", extensions=["tables"])
    assert Elements(page).tags.count("td") == 2


@given(st.text(st.characters(), max_size=40))
def test_no_text_makes_an_element(text):
    assert set(Elements(markdown.markdown("x " + to_markdown(text))).tags) == {"p"}
    assert Elements(f"<p>{to_html(text)}</p>").tags == ["p"]


@pytest.mark.parametrize("text", ["Ankle boot", "T-shirt/top", "鞋子", "DCGAN, 12 updates: 3.5 dB (95 %)"])
def test_ordinary_names_stay_readable(text):
    assert to_markdown(text) == text
