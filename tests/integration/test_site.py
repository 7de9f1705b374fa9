"""The documentation as a site: it builds, each room has a page, and nothing in it is fetched from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tasks.workspace.settings import SOURCE

pytestmark = pytest.mark.slow
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
"""Elements for which a browser sends a request by itself, and the attribute that says where to."""


class Requests(HTMLParser):
    """What a browser fetches for a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag in FETCHED:
            self.addresses.append(values.get(FETCHED[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_nothing_is_fetched_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    elsewhere = {
        address for page in pages for address in Requests(page).addresses if address.startswith(("http", "//"))
    }
    assert not elsewhere
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text()
        assert "@import" not in style.read_text()


def test_every_room_has_a_page_that_shows_its_functions(site):
    for package in ("flows", "models", "serving", "tasks"):
        for room in {path.parent for path in (SOURCE / package).rglob("*.py")}:
            name = ".".join(room.relative_to(SOURCE).parts)
            assert (site / "api" / f"{name}.html").is_file(), name
    assert "tasks.workspace.settings.Settings" in (site / "api" / "tasks.workspace.html").read_text()


def test_only_pages_are_published(site):
    assert not list(site.rglob("*.py"))
    assert not list(site.rglob("*.yaml"))
