"""Catalogues that must not be trained on stop the command before anything is trained."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys

import pytest

from tests.catalogues import BAD_FILES, ODD_FILES
from tests.e2e.shop import end, wait_for
from tests.workshop import draw_shapes

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
HOLD_DVC_LOCK = """
import sys, time, zc.lockfile
lock = zc.lockfile.LockFile(sys.argv[1])
print("held", flush=True)
time.sleep(4)
"""


@pytest.fixture(scope="module")
def spoilt(champion, tmp_path_factory):
    """The shop with two more catalogues: one with bad files, added while DVC is busy, one of a single category."""
    folder = draw_shapes(tmp_path_factory.mktemp("spoilt"), count=40, seed=1)
    for name, (write, _) in BAD_FILES.items():
        write(folder / "box" / name)
    for name, write in ODD_FILES.items():
        write(folder / "ring" / name)
    single = draw_shapes(tmp_path_factory.mktemp("single"), count=40, seed=2)
    for category in ("ring", "bigbox"):
        for path in (single / category).iterdir():
            path.unlink()
        (single / category).rmdir()

    command = [sys.executable, "-c", HOLD_DVC_LOCK, str(champion.settings.root / ".dvc" / "tmp" / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert "130 images" in champion.run("data", "add", str(folder), "--name", "spoilt").success()
        assert holder.poll() is not None
    champion.run("data", "add", str(single), "--name", "single").success()
    return champion


def trained(shop) -> set[str]:
    """The trainings that were ever begun."""
    return {path.name for path in (shop.settings.home / "trainings").iterdir()}


def test_bad_files_stop_the_run_before_anything_is_trained(spoilt):
    before = trained(spoilt)
    train, aside = ("train", "dcgan", "--catalogue"), ("--quarantine", "--max-quarantined")
    commands = [(*train, "spoilt"), (*train, "spoilt", *aside, "0.01"), (*train, "single", *aside, "0.5")]
    stopped, above, single = [end(process) for process in [spoilt.start(*command) for command in commands]]
    assert "expectations failed" in stopped.error()
    assert "box/" in stopped.error()
    assert "quarantine would set aside" in above.error()
    assert "category" in single.error()
    assert trained(spoilt) == before


def test_quarantine_goes_on_and_ctrl_c_says_how_to_resume(spoilt):
    quarantine = ("--quarantine", "--max-quarantined", "0.2", "--epochs", "500")
    process = spoilt.start("train", "dcgan", "--catalogue", "spoilt", *quarantine)
    rulers = spoilt.settings.home / "rulers"
    wait_for(lambda: list(rulers.glob("ruler-spoilt-*.lock")), process)
    while process.poll() is None:  # an interrupt that meets a library's callback is lost: a person presses it again
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(40)
    ended = end(process)
    assert ended.code == 130, ended
    assert "Traceback" not in ended.out + ended.err
    assert ended.err.endswith("stopped; run the same command again to resume\n")


def test_all_files_are_still_there(spoilt):
    names = {path.name for path in (spoilt.settings.data / "spoilt").rglob("*") if path.is_file()}
    assert names >= {*BAD_FILES, *ODD_FILES}
