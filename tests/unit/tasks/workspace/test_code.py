"""What a step's key takes of the code: all that it imports and that computes, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.families.discovery import module_of
from tasks.workspace.code import (
    CARRIERS,
    OURS,
    digest_code,
    find_module,
    list_code,
    read_closure,
    read_module,
)
from tasks.workspace.settings import SOURCE
from tasks.workspace.sources import recall_code
from tests.families import FAMILIES

COMPUTE = {"PIL", "cv2", "lightning_fabric", "numpy", "onnxruntime", "pandas", "scipy", "torch", "torchvision"}
FIT, GENERATORS, EDITORS = "tasks.training.fit", "tasks.evaluation.generators", "tasks.evaluation.editors"
DRIVER = """
import sys
from pathlib import Path
from tasks.halving.step import halve
from tasks.workspace.code import digest_code
from tasks.workspace.records import StepKey, StepRecords

step = StepKey(name="halve", inputs={"code": digest_code(halve.__module__)})
record, skipped = StepRecords(Path("home")).run(step, lambda: ({"half": halve(6)}, []))
print("skipped" if skipped else "done")
"""
STEP = '''"""Halves numbers."""

from models.families.discovery import load_family
from models.errors import InputError
from tasks.workspace.progress import NullProgress


def halve(number):
    """Half of it."""
    from models.maths import divide  # only when it is used

    return divide(number, 2)
'''
MATHS = '''"""Maths."""

import numpy as np


def divide(number, by):
    # Both are whole.
    return float(np.float64(number) / by)
'''


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the ground of our code, and a step on it."""
    ground = ("models/__init__.py", "models/errors.py", "models/files.py", "tasks/__init__.py")
    for name in (*ground, "models/families/__init__.py", "models/families/discovery.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / name, tmp_path / name)
    shutil.copytree(SOURCE / "tasks" / "workspace", tmp_path / "tasks" / "workspace")
    (tmp_path / "tasks" / "halving").mkdir()
    (tmp_path / "tasks" / "halving" / "__init__.py").touch()
    (tmp_path / "tasks" / "halving" / "step.py").write_text(STEP)
    (tmp_path / "models" / "maths.py").write_text(MATHS)
    (tmp_path / "models" / "other.py").write_text("answer = 42\n")
    return tmp_path


def run(tree: Path) -> str:
    """Do the step in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", DRIVER]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def change(tree: Path, name: str, old: str, new: str) -> None:
    path = tree / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_step_runs_again_for_its_maths_and_for_nothing_else(tree):
    assert [run(tree), run(tree)] == ["done", "skipped"]
    change(tree, "models/other.py", "42", "43")
    change(tree, "models/maths.py", "# Both are whole.", "# Both are whole: they were counted.")
    change(tree, "models/maths.py", '"""Maths."""', '"""The maths of halves."""')
    change(tree, "tasks/halving/step.py", '"""Half of it."""', '"""Half of the number."""')
    change(tree, "tasks/workspace/progress.py", "Ignore it.", "Do nothing.")
    change(tree, "tasks/workspace/storage.py", "disk full: writing", "the disk is full: writing")
    change(tree, "models/errors.py", "class InputError", "class Unused(Exception):\n    pass\n\n\nclass InputError")
    assert run(tree) == "skipped"

    change(tree, "models/maths.py", "number) / by", "number) / float(by)")
    assert [run(tree), run(tree)] == ["done", "skipped"]
    change(tree, "tasks/halving/step.py", "divide(number, 2)", "divide(number, 2.0)")
    assert run(tree) == "done"


def test_another_version_of_a_package_that_computes_is_another_key(tree):
    assert [run(tree), run(tree)] == ["done", "skipped"]
    for package, expected in (("pydantic", "skipped"), ("torch", "skipped"), ("numpy", "done")):
        described = tree / f"{package}-99.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 99.0\n")
        assert run(tree) == expected, package


def test_a_family_more_changes_no_other_key(tmp_path):
    for package in OURS:
        shutil.copytree(SOURCE / package, tmp_path / package, ignore=shutil.ignore_patterns("weights", "__pycache__"))
    families = {name: module_of(name) for name in FAMILIES}
    code = (
        "from tasks.workspace.code import digest_code\n"
        f"for name, module in {families}.items():\n"
        f"    print(name, *(digest_code(step, module) for step in {(FIT, GENERATORS, EDITORS)}))\n"
    )

    def keys() -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    before = keys()
    assert before.count("\n") == len(families)
    shutil.copy(tmp_path / "models" / "generators" / "lsgan.py", tmp_path / "models" / "generators" / "ragan.py")
    assert keys() == before
    with (tmp_path / "models" / "generators" / "lsgan.py").open("a") as family:
        family.write("\nCHANGED = True\n")
    changed = [
        name for name, old, new in zip(families, before.splitlines(), keys().splitlines(), strict=True) if old != new
    ]
    assert changed == ["lsgan"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("step", [FIT, GENERATORS, EDITORS])
def test_each_step_has_a_key_for_each_family(step, family):
    assert len(digest_code(step, module_of(family))) == 32


@pytest.mark.parametrize(
    ("step", "computes"),
    [
        (GENERATORS, {"models.pixels", "models.metrics.criteria", "models.exported.ruler", "tasks.evaluation.sheets"}),
        (EDITORS, {"models.imaging.inspection.similarity", "models.exported.editor", "models.pixels"}),
        (FIT, {"models.training.trainer", "tasks.training.networks", "tasks.training.speed"}),
        ("tasks.dataset.prepare", {"tasks.photos.decoding", "models.imaging.inspection.fingerprint"}),
    ],
)
def test_what_a_step_calls_is_in_its_key(step, computes):
    assert computes <= set(list_code(step))


def test_what_a_family_needs_is_in_the_key_of_its_evaluation():
    assert "models.losses.perceptual" in list_code(EDITORS, "models.editors.faststyle")
    assert "models.losses.perceptual" not in list_code(EDITORS, "models.editors.espcn")


def test_packages_count_by_the_names_that_they_are_installed_under():
    assert {"torch", "numpy", "onnxruntime", "torchvision"} <= set(read_closure(FIT).packages)
    assert {"opencv-python-headless", "scipy", "pillow"} <= set(read_closure("tasks.dataset.prepare").packages)
    assert "pydantic" not in read_closure(FIT).packages


@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_only_carries_does_not_compute(carrier):
    if carrier.endswith("."):
        room = SOURCE.joinpath(*carrier.rstrip(".").split("."))
        names = [f"{carrier}{path.stem}" for path in room.glob("*.py") if path.stem != "__init__"]
    else:
        names = [carrier]
    assert names
    assert {name: COMPUTE & set(read_module(name).packages) for name in names} == {name: set() for name in names}


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ModuleNotFoundError, match=r"tasks\.nothing"):
        digest_code("tasks.nothing")
    assert find_module("no_such_package.module") is None


def test_a_digest_that_is_remembered_is_the_same(tmp_path):
    expected = digest_code(FIT)
    assert [recall_code(tmp_path, FIT), recall_code(tmp_path, FIT)] == [expected, expected]
    (tmp_path / "code.json").write_text('{"sources": "others", "closures": {"tasks.training.fit": ["x", []]}}')
    assert recall_code(tmp_path, FIT) == expected
    (tmp_path / "code.json").write_text("{")
    assert recall_code(tmp_path, FIT) == expected
