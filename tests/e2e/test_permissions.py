"""A state folder that is another account's: one line for each command, and nothing moves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.shop import PACKSHOT, SLOT, TRAIN, Ended, Shop, end

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PR_CAPBSET_DROP = 24
OVERRIDES = {"CAP_DAC_OVERRIDE": 1, "CAP_DAC_READ_SEARCH": 2, "CAP_FOWNER": 3}
"""What lets root pass over a file's mode; dropped before the command starts (capabilities(7))."""
NOBODY = 65534


LAUNCHER = f"""import ctypes, os, sys
for number in {list(OVERRIDES.values())} if os.geteuid() == 0 else ():
    ctypes.CDLL(None).prctl({PR_CAPBSET_DROP}, number, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def run_bound(shop: Shop, folder: Path, *arguments: str) -> Ended:
    """`packshot ARGUMENTS` typed in `folder` by an account for which modes count, also when root runs the tests."""
    pipe, words = subprocess.PIPE, [sys.executable, "-c", LAUNCHER, str(PACKSHOT), *arguments]
    return end(subprocess.Popen(words, cwd=folder, env=shop.environment(), stdout=pipe, stderr=pipe, text=True))


def contents(folder: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of change of every file below `folder`."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def photo(tmp_path) -> Path:
    """A photograph in a folder that may be written."""
    path = tmp_path / "shoe.png"
    Image.new("RGB", (64, 48), (230, 220, 210)).save(path)
    return path


@pytest.fixture(scope="module")
def closed(champion, tmp_path_factory) -> Iterator[Shop]:
    """The shop with a home of its own that the command may not write."""
    shop = champion.with_home(tmp_path_factory.mktemp("closed") / "home")
    shop.run("models").success()  # makes what a home holds
    home = shop.settings.home
    if os.geteuid() != 0:
        pytest.skip("only root may give a folder away")
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    yield shop
    for path in (home, *home.rglob("*")):
        os.chown(path, os.geteuid(), os.getegid())


COMMANDS = {
    "train": TRAIN,
    "generate": ("generate", SLOT, "--count", "1"),
    "promote": ("promote", SLOT, "--version", "1", "--why", "a test"),
    "edit": ("edit", "shoe.png", "--op", "background:white", "--out", "white.png"),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_writes_says_in_one_line_that_it_may_not(closed, arguments, photo):
    before = contents(closed.settings.home)
    assert str(closed.settings.home) in run_bound(closed, photo.parent, *arguments).error()
    assert contents(closed.settings.home) == before
    assert [path.name for path in photo.parent.iterdir()] == [photo.name]


def test_the_doctor_names_the_folder_and_what_to_do(closed, tmp_path):
    ended = run_bound(closed, tmp_path, "doctor")
    assert ended.code == 1
    assert "Traceback" not in ended.out + ended.err
    assert "PACKSHOT_HOME" in ended.out
