"""The home is its owner's alone under any umask, whichever part of Packshot makes it."""

import os
from pathlib import Path

import pytest

from flows.processes.up import make_folders
from tasks.lineage.index import Lineage
from tasks.registry.tracking import create_database
from tasks.versions.repository import open_repository
from tasks.workspace.credentials import load_credentials
from tasks.workspace.records import StepKey, StepRecords
from tests.catalogues import make_checkout, write_photos

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),  # MLflow's own models, at import
    pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning"),  # DVC's use of pygtrie
]


def pin_data(settings):
    write_photos(settings.data / "shop", count=1)
    with open_repository(settings) as repository:
        repository.commit()


def look_up(settings):
    with pytest.raises(Exception, match="X: got"):
        Lineage(settings.home).trace("nothing-of-that-name")


MAKERS = {
    "passwords": lambda settings: load_credentials(settings.home, {}),
    "dvc": pin_data,
    "mlflow": create_database,
    "lineage": look_up,
    "steps": lambda settings: StepRecords(settings.home).run(StepKey(name="x", inputs={}), lambda: ({}, [])),
    "servers": make_folders,
}


def reachable(home):
    """What another account can get at: all that lies in folders that it may enter."""
    found = []
    for folder, folders, names in os.walk(home):
        if Path(folder).stat().st_mode & 0o077:
            found += [Path(folder, name) for name in ("", *names)]
        else:
            folders.clear()
    return found


@pytest.mark.parametrize("part", MAKERS)
@pytest.mark.parametrize("opened", [False, True])
def test_no_other_account_reaches_what_a_part_makes_in_the_home(tmp_path, part, opened):
    settings = make_checkout(tmp_path)
    before = os.umask(0)
    try:
        if opened:
            settings.home.mkdir(mode=0o777, exist_ok=True)
            settings.home.chmod(0o777)
        MAKERS[part](settings)
    finally:
        os.umask(before)
    assert any(settings.home.iterdir())
    assert reachable(settings.home) == []
