"""`packshot check`: tables, JSON, exit codes and what `--fix` writes; bad input is one line."""

import json

import numpy as np
import pytest
import yaml
from PIL import Image

from flows.cli.check import Checked, outcome, what_fails
from tasks.market.check import check_picture
from tasks.market.listing import list_markets
from tasks.market.rules import load_market
from tests.terminal import terminal

RULES = {"format": {"allowed": ["PNG"], "preferred": "png"}, "white_background": {"minimum": 0.99}}


@pytest.fixture
def packshot(tmp_path, capsys):
    with terminal(capsys, ROOT=tmp_path, HOME=tmp_path / "home") as run:
        yield run


@pytest.fixture
def market(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"market": "own", "source": "our shop, 2026", "rules": RULES}))
    return path


@pytest.fixture
def folder(tmp_path):
    """A white packshot, a beige one as JPEG, and a text file that claims to be a picture."""
    shop = tmp_path / "shop"
    (shop / "bags").mkdir(parents=True)
    rows, columns = np.mgrid[:320, :320]
    product = np.hypot(rows - 160, columns - 160) < 100
    for name, background in (("white.png", (255, 255, 255)), ("bags/bäg 1.jpg", (226, 218, 206))):
        pixels = np.full((320, 320, 3), background, np.uint8)
        pixels[product] = (40, 60, 130)
        Image.fromarray(pixels).save(shop / name, quality=95)
    (shop / "liar.jpg").write_text("no picture at all")
    return shop


def test_a_picture_that_passes(packshot, market, folder):
    code, out, err = packshot("check", folder / "white.png", "--market", market)
    assert (code, err) == (0, "")
    assert "2 of 2 rules hold" in out


def test_a_picture_that_fails_and_its_json(packshot, market, folder):
    code, out, err = packshot("check", folder / "bags/bäg 1.jpg", "--market", market, "--json")
    assert (code, err) == (1, "")
    report = json.loads(out)
    assert report["pass"] is False
    assert [set(row) for row in report["rows"]] == [{"rule", "pass", "measured", "required", "fix"}] * 2
    assert [row["fix"] for row in report["rows"]] == ["--format png", "background:white"]


def test_a_picture_is_mended_and_checked_again(packshot, market, folder, tmp_path):
    source, out_file = folder / "bags/bäg 1.jpg", tmp_path / "mended.png"
    before = source.read_bytes()
    code, out, _ = packshot("check", source, "--market", market, "--fix", "-o", out_file)
    assert code == 0
    assert "before: 0 of 2 rules hold" in out
    assert "after: 2 of 2 rules hold" in out
    assert source.read_bytes() == before
    with Image.open(out_file) as mended:
        assert mended.getpixel((2, 2)) == (255, 255, 255)


def test_a_folder_is_checked_file_by_file(packshot, market, folder, tmp_path):
    code, out, _ = packshot("check", folder, "--market", market)
    assert code == 1
    assert "liar.jpg" in out
    assert "1 of 3 pictures meet every rule, 1 could not be read" in out
    code, out, _ = packshot("check", folder, "--market", market, "--fix", "-o", tmp_path / "out", "--json")
    assert code == 1
    found = json.loads(out)
    assert (found["passed"], found["pictures"]) == (2, 3)
    assert [set(one) for one in found["reports"]] == [
        {"before", "after", "notes"},
        {"before", "left"},
        {"before", "left"},
    ]
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == ["bäg 1.png"]


def test_what_cannot_be_read_has_its_reason(packshot, market, folder):
    code, out, _ = packshot("check", folder / "liar.jpg", "--market", market)
    assert code == 1
    assert "cannot be checked: not an image" in out


def test_bad_input_is_one_line(packshot, market, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    white = folder / "white.png"
    for arguments, line in (
        ((white, "--market", "amazn"), f"--market: got 'amazn', allowed: one of {', '.join(list_markets())}"),
        ((tmp_path / "none.png", "--market", market), "IN: got "),
        ((tmp_path / "empty", "--market", market), "IN: got "),
        ((white, "--market", market, "--fix"), "-o: got 'nothing'"),
        ((white, "--market", market, "-o", "x.png"), "--fix: got 'nothing'"),
        ((white, "--market", market, "--fix", "-o", white), "output: got "),
        ((folder, "--market", market, "--fix", "-o", folder / "new"), "output: got "),
        ((folder / "bags/bäg 1.jpg", "--market", market, "--fix", "-o", tmp_path / "x.pdf"), "-o: got "),
    ):
        code, out, err = packshot("check", *arguments)
        assert (code, out) == (2, "")
        assert err.startswith(f"error: {line}")
        assert err.count("\n") == 1


def test_a_folder_says_of_each_picture_what_became_of_it(market, folder):
    failed = check_picture(folder / "bags/bäg 1.jpg", load_market(str(market)))
    passed = check_picture(folder / "white.png", load_market(str(market)))
    assert not Checked(failed).passed
    assert outcome(Checked(failed)) == "--format png background:white"
    assert outcome(Checked(failed, left="nothing of ours mends it")) == "nothing of ours mends it"
    assert Checked(failed, passed).passed
    assert outcome(Checked(failed, passed, notes="its outline is doubtful")).endswith(
        "white.png: all hold; its outline is doubtful"
    )
    assert what_fails(failed) == "format, white_background"
