"""`packshot edit` on one photograph: done in this process, told in a table, and each wrong value in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from flows.cli.edit import cells
from tasks.editing.changes import Change, Figures
from tasks.lineage.index import Lineage
from tasks.operations.contract.discovery import list_operations
from tasks.workspace.settings import SOURCE, Settings
from tasks.workspace.storage import digest_file
from tests.terminal import terminal

CHECKOUT = str(SOURCE)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photos" / "schuh 包.jpg"
    path.parent.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def packshot(tmp_path, capsys):
    """Run `packshot edit ARGUMENTS`."""
    with terminal(capsys, "edit", HOME=tmp_path / "home") as run:
        yield run


def test_a_photograph_is_edited_told_and_traced(packshot, photo, tmp_path):
    before = photo.read_bytes()
    out = tmp_path / "new folder" / "é.webp"
    code, text, _ = packshot(photo, "--op", "degrade:blur,amount=2", "--op", "degrade:grayscale", "-o", out)
    assert code == 0
    assert "degrade:blur,amount=2.0 " in text
    assert "degrade:grayscale " in text
    assert "all together: " in text
    assert f"{out}: 60x40, marked algorithmicallyEnhanced" in text
    assert photo.read_bytes() == before
    with Image.open(out) as image:
        assert (image.format, image.size) == ("WEBP", (60, 40))
    chain = Lineage(Settings(PACKSHOT_HOME=tmp_path / "home").home).trace(str(out))
    assert chain.focus.attributes["operations"] == "degrade:blur,amount=2.0 degrade:grayscale"


def test_an_edited_file_that_was_altered_still_leads_to_its_original(packshot, photo, tmp_path):
    out = tmp_path / "a.png"
    assert packshot(photo, "--op", "degrade:grayscale", "--no-measure", "-o", out)[0] == 0
    out.write_bytes(out.read_bytes() + b"more")
    chain = Lineage(Settings(PACKSHOT_HOME=tmp_path / "home").home).trace(str(out))
    assert chain.focus.id == digest_file(photo)
    assert "its record says degrade of " in chain.note


def test_a_name_is_made_in_a_folder_and_the_same_edit_may_be_done_again(packshot, photo, tmp_path):
    asked = (photo, "--op", "degrade:blur", "--format", "jpg", "--no-measure", "-o", tmp_path / "out")
    assert packshot(*asked)[0] == 0
    content = (tmp_path / "out" / "schuh 包.jpg").read_bytes()
    assert packshot(*asked)[0] == 0
    assert (tmp_path / "out" / "schuh 包.jpg").read_bytes() == content
    code, _, err = packshot(photo, "--op", "degrade:noise", "--format", "jpg", "-o", tmp_path / "out")
    assert (code, err.count("\n")) == (2, 1)
    assert "allowed: a name that no other file has; --overwrite replaces it" in err


def test_a_list_of_operations_may_stand_in_a_file(packshot, photo, tmp_path):
    listed = tmp_path / "edits.json"
    listed.write_text(json.dumps([{"op": "degrade", "kind": "grayscale"}]))
    assert packshot(photo, "--ops", listed, "--no-measure", "-o", tmp_path / "grey.png")[0] == 0
    with Image.open(tmp_path / "grey.png") as image:
        red, green, blue = image.split()
        assert red.tobytes() == green.tobytes() == blue.tobytes()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--op", "polish"], "op: got 'polish', allowed: one of "),
        (["--op", "degrade:blur,amuont=2"], "parameter: got 'amuont', allowed: one of "),
        ([], "--op: got 'nothing', allowed: a list of operations, such as --op enhance:auto"),
        (["--op", "degrade:blur", "--quality", "0"], "write.quality: got 0, allowed: greater than or equal to 1"),
        (["--op", "degrade:blur", "--icc", "p3"], "icc: got 'p3', allowed: 'srgb' or 'keep'"),
        (["--op", "degrade:blur", "--format", "gif"], "--format: got 'gif', allowed: one of png, jpg, webp, tif"),
        (["--op", "degrade:blur", "--format", "jpg"], "--format: got 'jpg', allowed: png, as the name out.png says"),
        (["--op", "degrade:blur", "--mask", "none.png"], "--mask: got 'none.png', allowed: a black and white picture"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(packshot, photo, tmp_path, arguments, line):
    code, out, err = packshot(photo, *arguments, "-o", tmp_path / "out.png")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: {line}")
    assert not (tmp_path / "out.png").exists()


def test_wrong_places_are_named(packshot, photo, tmp_path):
    blur = ("--op", "degrade:blur")
    for source, out, line in (
        (
            tmp_path / "nothing.jpg",
            tmp_path / "a.png",
            f"error: IN: got '{tmp_path}/nothing.jpg', allowed: a photograph",
        ),
        (
            photo,
            tmp_path / "a.bmp",
            f"error: -o: got '{tmp_path}/a.bmp', allowed: a folder, or a name that ends in .png",
        ),
        (photo, photo, "error: output: got "),
        (photo.parent, photo.parent, "error: output: got "),
        (photo, photo.parent, "error: output: got "),
    ):
        code, _, err = packshot(source, *blur, "--overwrite", "-o", out)
        assert (code, err.count("\n")) == (2, 1)
        assert err.startswith(line)


def test_a_broken_photograph_is_one_line(packshot, photo, tmp_path):
    photo.write_bytes(photo.read_bytes()[:300])
    code, _, err = packshot(photo, "--op", "degrade:blur", "-o", tmp_path / "a.png")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"error: {photo}: damaged: ")


def test_a_quick_edit_imports_no_heavy_package(photo, tmp_path):
    code = (
        "import sys\nfrom flows.cli.app import main\n"
        f"sys.argv = ['packshot', 'edit', {str(photo)!r}, '--op', 'degrade:blur', '--no-measure', '-o', 'a.png']\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "print(sorted({'torch', 'mlflow', 'prefect', 'pandas', 'dvc'} & set(sys.modules)))\n"
    )
    paths = os.pathsep.join(path for path in (CHECKOUT, *sys.path) if path)
    environment = {**os.environ, "PYTHONPATH": paths, "PACKSHOT_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_operations_and_their_parameters_are_listed(tmp_path, capsys):
    with terminal(capsys, "operations", HOME=tmp_path / "home") as packshot:
        code, out, _ = packshot()
        assert code == 0
        assert all(name in out for name in list_operations())
        assert "number, 0 to 1" in packshot("enhance")[1]
        assert packshot("nope")[2].startswith("error: op: got 'nope', allowed: one of background, ")


def test_the_figures_of_the_product_are_shown_else_those_of_the_picture():
    picture, product = (
        Figures(colour_mean=mean, colour_p95=9.0, ssim=0.98765, changed_share=0.25) for mean in (1.234, 5.678)
    )
    whole = Change(picture=picture, product=product, product_share=0.5, product_kept=1.0)
    assert cells(whole) == ("5.68", "0.988", "25%")
    assert cells(whole.model_copy(update={"product": None})) == ("1.23", "0.988", "25%")
    assert cells(None) == ("", "", "")
