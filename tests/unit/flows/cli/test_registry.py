"""What the commands say of registered versions and of the ledger."""

import json

import pytest

from flows.cli.registry import show_lineage, version_row
from models.errors import InputError
from tasks.lineage.entries import Intent
from tasks.lineage.index import Lineage
from tasks.lineage.ledger import Ledger
from tasks.lineage.trace import Node
from tasks.registry.versions import VersionSummary
from tasks.workspace.settings import Settings
from tests.terminal import terminal

TAGS = {"family": "dcgan", "data_md5": "0123456789abcdef" * 2, "gate.reason": "rarest category shirt: 4.00%"}


@pytest.fixture
def settings(tmp_path):
    return Settings(PACKSHOT_HOME=tmp_path / "home")


@pytest.fixture(autouse=True)
def at_home(settings, capsys):
    with terminal(capsys, HOME=settings.home):
        yield


def test_a_version_says_why_it_is_no_champion_and_a_champion_needs_no_reason():
    challenger = VersionSummary("generate-shop", 3, "run", TAGS, ("challenger",), "", created=1)
    assert version_row(challenger) == (
        "generate-shop", 3, "dcgan", "challenger", "01234567", "rarest category shirt: 4.00%",
    )  # fmt: skip
    champion = VersionSummary("generate-shop", 2, "run", TAGS, ("champion", "newest"), "", created=1)
    assert version_row(champion)[3:] == ("champion, newest", "01234567", "")
    assert version_row(VersionSummary("inpaint", 1, "run", {}, (), "", created=1))[2:] == ("", "", "", "")


def test_lineage_of_nothing_is_refused_with_what_can_be_asked():
    with pytest.raises(InputError, match=r"^X: got 'nothing', allowed: a generated file, SLOT@N, "):
        show_lineage(None, as_json=False, verify=False, restore=False)


def test_the_champion_is_traced_as_text_or_as_json(settings, capsys):
    ledger = Ledger(settings.home)
    ledger.finish(
        ledger.begin(Intent(slot="generate-shop", action="promote", version=1, previous=None, who="a", why="b"))
    )
    Lineage(settings.home).record(Node("version", "generate-shop@1", {"family": "dcgan"}))
    show_lineage("generate-shop@champion", as_json=False, verify=False, restore=False)
    assert capsys.readouterr().out == "version generate-shop@1 family=dcgan\n"
    show_lineage("generate-shop@champion", as_json=True, verify=False, restore=False)
    assert json.loads(capsys.readouterr().out)["focus"]["id"] == "generate-shop@1"
