"""A checkout that is copied and then moved, with all its state: it goes on where it was, and leaves others alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from flows.processes.prefect_server import prefect_server
from tasks.registry.versions import list_versions
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file
from tests.e2e.shop import SLOT, TRAIN, Shop, end, free_port, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
KILLED = (*TRAIN, "--seed", "7")
OFTEN = {"PACKSHOT_CHECKPOINT_SECONDS": "0.1"}
IMAGES = "packshots/old"


def open_at(root: Path, like: Shop) -> Shop:
    """The checkout at `root` with the state in it, on ports of its own."""
    values = like.settings.model_dump(exclude={"home_", "root", "prefect_port", "mlflow_port"})
    ports = {"prefect_port": free_port(), "mlflow_port": free_port()}
    return Shop(Settings(**values, **ports, root=root, PACKSHOT_HOME=root / ".packshot"))


def read_all(folder: Path) -> dict[str, str]:
    """The bytes of all files, but for those of the Prefect server, which runs."""
    files = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: digest_file(path) for name, path in named.items() if not name.startswith(".packshot/prefect/")}


def unfinished(shop: Shop) -> list[Path]:
    """The folders of trainings that left a checkpoint and no result."""
    folders = (path.parent for path in shop.settings.home.glob("trainings/*/checkpoint.pt"))
    return [folder for folder in folders if not (folder / "result.json").exists()]


@pytest.fixture(scope="module")
def original(champion) -> dict[str, str]:
    """What the checkout holds that the others are made of."""
    return read_all(champion.settings.root)


@pytest.fixture(scope="module")
def moved(champion, original, tmp_path_factory) -> Shop:
    """A copy that makes images and begins a training, which is killed, and then stands somewhere else."""
    first = open_at(tmp_path_factory.mktemp("first") / "checkout", champion)
    left_out = shutil.ignore_patterns("prefect")
    shutil.copytree(champion.settings.root, first.settings.root, symlinks=True, ignore=left_out)
    with prefect_server(first.settings):
        out = str(first.settings.root / IMAGES)
        first.run("generate", SLOT, "--count", "2", "--seed", "3", "--out", out).success()
        process = first.start(*KILLED, **OFTEN)
        wait_for(lambda: unfinished(first), process)
        process.kill()
        end(process)
    there = tmp_path_factory.mktemp("second") / "a" / "checkout"
    there.parent.mkdir()
    first.settings.root.rename(there)
    with prefect_server((second := open_at(there, champion)).settings):
        yield second
    assert not first.settings.root.exists(), "nothing was written where it stood"


def test_an_equal_training_is_skipped(moved):
    told = moved.run(*TRAIN, "--seed", "0").success()
    assert "unchanged" in told


def test_a_killed_training_is_resumed(moved):
    (training,) = unfinished(moved)
    run_id = json.loads((training / "run.json").read_text())["run_id"]
    moved.run(*KILLED).success()
    result = json.loads((training / "result.json").read_text())
    assert (result["run_id"], result["folder"]) == (run_id, f"trainings/{training.name}")
    assert run_id in [version.run_id for version in list_versions(moved.settings, SLOT)]


def test_the_champion_makes_images_and_an_old_one_is_traced(moved, tmp_path):
    assert "2 images" in moved.run("generate", SLOT, "--count", "2", "--seed", "5", "--out", str(tmp_path)).success()
    old = sorted((moved.settings.root / IMAGES).glob("*-00000.png"))[0]
    traced = moved.run("lineage", str(old)).success()
    assert f"file={IMAGES}/{old.name}" in traced
    assert all(f"{kind} " in traced for kind in ("version", "run", "prepared", "data"))


def test_a_promotion_in_a_copy_leaves_the_original_alone(moved, champion, original):
    moved.run("promote", SLOT, "--version", "2", "--why", "a test").success()
    champions = [version.version for version in list_versions(moved.settings, SLOT) if "champion" in version.aliases]
    assert champions == [2]
    assert read_all(champion.settings.root) == original


def test_doctor_finds_nothing_outside_and_no_file_names_the_old_place(moved, champion):
    told = moved.run("doctor").out
    assert "all that is remembered lies in the checkout" in " ".join(told.split())
    old = (str(champion.settings.root), str(moved.settings.root.parent.parent.with_name("first")))
    kept = (path for name in ("steps", "trainings") for path in (moved.settings.home / name).rglob("*.json"))
    assert not [path for path in kept if any(place in path.read_text() for place in old)]
