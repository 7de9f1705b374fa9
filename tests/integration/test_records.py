"""Every command that writes an image leaves its record in the file and its trail in the lineage index."""

from __future__ import annotations

import os

import numpy as np
import prefect.settings
import pytest
import typer
import yaml
from PIL import Image
from prefect.testing.utilities import prefect_test_harness

from flows.cli.app import app
from tasks.photos.formats import is_picture_name
from tasks.promotion.moves import make_champion
from tasks.provenance.embedded import find_own
from tasks.provenance.source_type import GENERATED
from tasks.registry.register import register
from tasks.registry.tracking import open_tracking
from tasks.workspace.settings import Settings
from tests.generators import write_generator
from tests.terminal import terminal
from tests.workshop import NOBODY, STARTUP_SECONDS

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # MLflow's own models, at import

SLOT = "generate-bags"
TAGS = ("prepared_key", "data_md5", "validation_key", "git_commit")
BLUR = ("--op", "degrade:blur,amount=1", "--no-measure")
WRITES_NO_IMAGE_OF_ITS_OWN = {
    "demo": "is `train` and `generate`",
    "up": "serves",
    "doctor": "looks",
    "sign-in": "prints links",
    "data add": "copies files as they are",
    "data fetch": "copies files as they are",
    "data versions": "lists",
    "dvc": "runs DVC, whose stages are `train`",
    "train": "sheets of a run, by `save_sheet`, which takes their record",
    "evaluate": "sheets of a version, by `save_sheet`, which takes their record",
    "operations": "lists",
    "promote": "moves",
    "rollback": "moves",
    "lineage": "lists",
    "leaderboard": "lists",
    "models": "lists",
}


def generate(shop):
    return shop.packshot("generate", SLOT, "--count", "3", "--out", shop.out)


def edit_file(shop):
    return shop.packshot("edit", shop.generated / "0.png", *BLUR, "-o", shop.out / "edited.jpg")


def edit_folder(shop):
    return shop.packshot("edit", shop.generated, *BLUR, "-o", shop.out)


def check(shop):
    """Only the format is wrong: the picture is written anew."""
    return shop.packshot("check", shop.generated, "--market", shop.market, "--fix", "-o", shop.out)


def texture(shop):
    return shop.packshot("texture", shop.photo, "--size", "64", "-o", shop.out / "cloth.png")


WRITES = {"generate": [generate], "edit": [edit_file, edit_folder], "check": [check], "texture": [texture]}


class Shop:
    """A home with a champion, two of its images, a photograph and a market that takes JPEG alone."""

    def __init__(self, root):
        self.settings = Settings(root=root, PACKSHOT_HOME=root / "home", mlflow_port=NOBODY)
        self.generated, self.photo, self.market = root / "generated", root / "cloth.png", root / "own.yaml"
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(self.photo)
        rules = {"format": {"allowed": ["JPEG"], "preferred": "jpg"}, "ai_label": {"required": True}}
        self.market.write_text(yaml.safe_dump({"market": "own", "source": "ours, 2026", "rules": rules}))

    def register(self, onnx):
        run_id = open_tracking(self.settings).start_or_resume_run("test", None, "run", {}, {})
        tags = {name: name for name in TAGS}
        register(self.settings, run_id, SLOT, "dcgan", onnx, model_card="# tiny", tags=tags)
        make_champion(self.settings, SLOT, 1, who="ann", why="a test")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(server_startup_timeout=STARTUP_SECONDS):
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        shop = Shop(root)
        shop.register(write_generator(root / "generator.onnx"))
        yield shop


@pytest.fixture
def shop(made, tmp_path, capsys):
    home = {"ROOT": made.settings.root, "HOME": made.settings.home, "MLFLOW_PORT": made.settings.mlflow_port}
    with terminal(capsys, **home) as packshot:
        os.environ["PREFECT_API_URL"] = str(prefect.settings.get_current_settings().api.url)
        made.packshot, made.out = packshot, tmp_path / "out"
        if not made.generated.exists():
            assert packshot("generate", SLOT, "--count", "2", "--out", made.generated)[0] == 0
            for number, path in enumerate(sorted(made.generated.glob("*-0000[01].png"))):
                path.rename(made.generated / f"{number}.png")
            next(made.generated.glob("*sheet.png")).unlink()
        yield made


def list_commands(command, name=""):
    """The full names of all commands: those of a group stand behind its own."""
    inner = getattr(command, "commands", {})
    return [leaf for part, one in inner.items() for leaf in list_commands(one, f"{name} {part}".strip())] or [name]


def test_every_command_is_known_here():
    """A new command stands in one of the two tables: it is run below, or it is said why it writes no image."""
    listed = list_commands(typer.main.get_command(app))
    assert sorted(listed) == sorted([*WRITES, *WRITES_NO_IMAGE_OF_ITS_OWN])


@pytest.mark.parametrize("run", [run for runs in WRITES.values() for run in runs])
def test_what_is_written_is_on_record_and_is_traced(shop, run):
    code, _, err = run(shop)
    assert (code, err.count("error")) == (0, 0), err
    written = sorted(path for path in shop.out.rglob("*") if is_picture_name(path.name))
    assert written
    for path in written:
        assert find_own(path).marked == GENERATED
        code, traced, _ = shop.packshot("lineage", path)
        assert code == 0
        assert "made from:" in traced
        assert "not in the index" not in traced
        assert f"{SLOT}@1" in traced or run is texture
        assert ("edited from: image" in traced) is (run in (edit_file, edit_folder, check))


@pytest.mark.parametrize("run", [edit_file, check])
def test_what_a_file_says_leads_to_the_version_where_nothing_is_known_of_it(shop, run, capsys, tmp_path):
    assert run(shop)[0] == 0
    path = next(path for path in shop.out.rglob("*.jpg"))
    own = find_own(path)
    assert own.ancestor == find_own(shop.generated / "0.png")
    assert own.generated_by == f"{SLOT} version 1"
    with terminal(capsys, HOME=tmp_path / "elsewhere") as packshot:
        elsewhere = tmp_path / "again.png"
        assert packshot("edit", path, *BLUR, "-o", elsewhere)[0] == 0
        code, traced, _ = packshot("lineage", elsewhere)
    assert code == 0
    assert f"generated by: version {SLOT}@1" in traced
