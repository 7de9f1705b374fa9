"""Paths as records keep them: relative to a home that may move."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from tasks.workspace.places import HomePath, locate, shorten

HOME = Path("/shop/.packshot")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/shop/.packshot/trainings/k", "trainings/k"),
        ("/shop/packshots/a b.png", "../packshots/a b.png"),
        ("/elsewhere/包", "../../elsewhere/包"),
        ("/shop/.packshot", "."),
    ],
)
def test_a_path_has_a_name_from_home_and_is_found_by_it(path, name):
    assert shorten(HOME, Path(path)) == name
    assert locate(HOME, name) == Path(path)


def test_an_absolute_path_of_an_older_record_is_itself():
    assert locate(HOME, "/old/place/report.json") == Path("/old/place/report.json")


class Kept(BaseModel):
    folder: HomePath


def test_a_record_moves_with_its_home():
    written = Kept(folder=HOME / "trainings" / "k").model_dump_json(context={"home": HOME})
    assert written == '{"folder":"trainings/k"}'
    moved = Path("/mnt/other")
    assert Kept.model_validate_json(written, context={"home": moved}).folder == moved / "trainings" / "k"


def test_without_a_home_a_path_stays_as_it_is():
    kept = Kept(folder=HOME / "trainings")
    assert kept.model_dump_json() == f'{{"folder":"{HOME}/trainings"}}'
    assert Kept.model_validate_json(kept.model_dump_json()) == kept
    assert kept.model_dump()["folder"] == HOME / "trainings"  # a path for Python, a name in JSON alone
