"""Families are found by their files, cheaply; a file that breaks the contract is refused in one line."""

import subprocess
import sys

import pytest

import models.editors
import models.generators
from models.errors import FamilyError, InputError
from models.families.discovery import find_families, kind_of, load_family, module_of
from tasks.workspace.code import list_code, read_module
from tests.families import FAMILIES

GOOD = """
from typing import ClassVar, Literal
from models.generators.lsgan import LSGAN, LSGANConfig

class Config(LSGANConfig):
    family: Literal["plugged"] = "plugged"

class Plugged(LSGAN):
    Config: ClassVar = Config
"""


@pytest.fixture
def plug(tmp_path, monkeypatch):
    """Puts a file among the generators, or among the editors, for as long as the test takes."""

    def put(text, name="plugged", package=models.generators):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)

    yield put
    for package in (models.generators, models.editors):
        sys.modules.pop(f"{package.__name__}.plugged", None)


def test_a_file_is_a_family(plug):
    before = find_families()
    plug(GOOD)
    assert find_families() == {**before, "plugged": "generates"}
    assert kind_of("plugged") == "generates"
    assert load_family("plugged").Config().loss == "least-squares"


def test_generators_come_first_and_both_kinds_by_name():
    found = find_families()
    names = {kind: [name for name, one in found.items() if one == kind] for kind in ("generates", "edits")}
    assert [*found] == sorted(names["generates"]) + sorted(names["edits"])
    assert ("dcgan" in names["generates"], "espcn" in names["edits"]) == (True, True)


@pytest.mark.parametrize("ask", [kind_of, load_family])
def test_an_unknown_family_is_named_with_those_there_are(ask):
    with pytest.raises(InputError, match=r"^family: got 'gan', allowed: one of dcgan, gp, .*, srcnn$"):
        ask("gan")


TWO = GOOD + "\nclass Another(Plugged):\n    pass\n"
ABSTRACT = """
from models.families.adversarial import AdversarialFamily

class Plugged(AdversarialFamily):
    pass
"""
COPIED = GOOD.replace('"plugged"', '"lsgan"')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWO, r"got Plugged, Another, allowed: one concrete family a file$"),
        ("from models.generators.lsgan import LSGAN\n", r"got no family, allowed: one concrete family a file$"),
        (ABSTRACT, r"got Plugged \(without build\), allowed: one concrete family a file$"),
        (COPIED, r"Config\.family is 'lsgan', allowed: Literal\[\"plugged\"\]$"),
    ],
    ids=["two", "none", "abstract", "copied"],
)
def test_a_file_without_one_family_of_its_name_is_refused(plug, text, message):
    plug(text)
    with pytest.raises(FamilyError, match=r"^models\.generators\.plugged: " + message):
        load_family("plugged")


def test_a_family_in_the_room_of_the_other_kind_is_refused(plug):
    plug(GOOD, package=models.editors)
    with pytest.raises(FamilyError, match=r"Plugged generates, allowed: a file of models\.generators$"):
        load_family("plugged")


def test_one_name_in_both_rooms_is_refused(plug):
    plug(GOOD, "dcgan", models.editors)
    with pytest.raises(FamilyError, match=r"^models\.editors\.dcgan: the name is taken by models\.generators\.dcgan$"):
        find_families()


def test_names_and_kinds_are_had_without_importing_a_family():
    code = (
        "import sys; from models.families.discovery import find_families, kind_of; find_families(); kind_of('espcn');"
        "sys.exit(bool({'torch', 'pydantic', 'models.generators.dcgan', 'models.editors.espcn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_no_family_depends_on_which_others_there_are(family):
    """Or else an addition would change the key of every finished training."""
    imported = {name for module in list_code(module_of(family)) for name in read_module(module).modules}
    assert "models.families.family" in imported
    assert "models.families.discovery" not in imported
