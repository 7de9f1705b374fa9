"""Every command of the READMEs and of docs/ is run: in a small shop, or where this file says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw

from flows.processes.prefect_server import prefect_server
from models.families.family import FamilyConfig
from tasks.workspace.settings import SOURCE
from tests.catalogues import commit_all, write_photos
from tests.documents import READMES, all_commands, read_commands
from tests.e2e.shop import SECONDS, Ended, Shop, open_shop
from tests.terminal import terminal
from tests.workshop import PARAMS

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(3 * SECONDS)]
MADE_BY_MAKE = {"make demo": "packshot demo", "make test": "pytest"}
"""What make starts: the demo is run below with a small catalogue, the tests are these."""
RUN_ELSEWHERE = {
    "packshot up": ("integration/test_up.py", "def test_up_starts_three_processes"),
    "'PACKSHOT_RETRAIN_CRON=30 4 * * *' packshot up": (
        "unit/flows/processes/test_deployments.py",
        "def test_the_setting_replaces_the_schedule_and_switches_it_on",
    ),
    "packshot data fetch cifar-10": ("unit/tasks/versions/test_origins.py", "cifar"),
}
"""Commands that run until Ctrl-C or need a network, and the test that runs what they do."""
TRAINED = "packshot train "
"""Trainings are read here as far as their recipe; test_flows.py, test_train_editor.py and test_transfer.py train."""
DEMO, FITTED = "packshot demo", "packshot train gp"
"""Run in full, to have two versions."""
CODES = {
    "packshot check": {0, 1},
    "packshot doctor": {0, 1},
}
"""How a command may end, where that is not with 0 alone."""


def shop_words(command: str) -> list[str]:
    """What is typed in the shop, whose catalogue is `shapes` and whose categories are shapes."""
    return shlex.split(command.replace("fashion-mnist", "shapes").replace("Sneaker", "ring"))


def is_run_here(command: str) -> bool:
    """Whether the shop runs the command in full."""
    elsewhere = command in MADE_BY_MAKE or command in RUN_ELSEWHERE or command.startswith(TRAINED)
    return command == FITTED or not elsewhere


RUN_HERE = [command for command in all_commands() if is_run_here(command) and command != FITTED]
READ_HERE = [command for command in all_commands() if command.startswith(TRAINED)]


@pytest.fixture(scope="module")
def documented(tmp_path_factory) -> Iterator[Shop]:
    """A checkout with all that the documents' commands name, and a Prefect server."""
    made = open_shop(tmp_path_factory.mktemp("documents"))
    root = made.settings.root
    recipe = PARAMS["families"]["dcgan"] | {"epochs": 1}
    more = {"demo": {"train": recipe, "count": 4, "seed": 7}, "reproduce": {"catalogue": "shapes", "train": recipe}}
    params = yaml.safe_load((root / "params.yaml").read_text())
    (root / "params.yaml").write_text(yaml.safe_dump(params | more))
    (root / "dvc.yaml").write_text((SOURCE / "dvc.yaml").read_text().replace("data/fashion-mnist", "data/shapes"))
    for package in ("flows", "models", "serving", "tasks"):  # what the stages of dvc.yaml depend on
        shutil.copytree(SOURCE / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("prefect.yaml", "requirements.lock"):
        shutil.copy(SOURCE / name, root)
    (root / ".venv").symlink_to(sys.prefix)
    commit_all(root, "documents")
    draw_pictures(root)
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PREFECT_API_URL", raising=False)
        with prefect_server(made.settings):
            yield made


def draw_pictures(root: Path) -> None:
    """The photographs, masks and lists that the commands name."""
    shoe = Image.new("RGB", (240, 180), (226, 224, 220))
    draw = ImageDraw.Draw(shoe)
    draw.rounded_rectangle((50, 60, 190, 130), 20, fill=(120, 40, 30))
    shoe.save(root / "shoe.jpg", quality=95)
    shoe.convert("L").save(root / "old.jpg", quality=95)
    for name, box in {"hole.png": (80, 80, 100, 95), "shoe-mask.png": (50, 60, 190, 130)}.items():
        mask = Image.new("L", shoe.size)
        ImageDraw.Draw(mask).rectangle(box, fill=255)
        mask.save(root / name)
    shoe.resize((640, 320)).save(root / "street.jpg")
    generator = np.random.default_rng(0)
    Image.fromarray(generator.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(root / "linen.jpg")
    (root / "photos").mkdir()
    for name in ("one.jpg", "two.jpg"):
        shoe.save(root / "photos" / name)
    guide, markets = (SOURCE / "docs" / name for name in ("guide/image-team.md", "markets.md"))
    listed = re.search(r"`edits\.json` is a list such as `(.+?)`", guide.read_text())
    rules = re.search(r"^```yaml\n(.+?)^```$", markets.read_text(), re.MULTILINE | re.DOTALL)
    assert listed and rules, "the documents show no edits.json, or no rules of one's own"
    (root / "edits.json").write_text(listed[1])
    (root / "own.yaml").write_text(rules[1])
    write_photos(root / "home" / "photos" / "spring", count=24)


@pytest.fixture(scope="module")
def ended(documented) -> dict[str, Ended]:
    """How each command of `RUN_HERE` ended, typed in the order of the documents, after two versions were made."""
    commands = [DEMO, FITTED, *RUN_HERE]
    environment = documented.environment(
        HOME=str(documented.settings.root / "home"),
        DEMO_CATALOGUE="shapes",
        PREFECT_API_URL=f"{documented.settings.prefect_url}/api",
        GIT_AUTHOR_NAME="Test",
        GIT_AUTHOR_EMAIL="test@example.org",
        GIT_COMMITTER_NAME="Test",
        GIT_COMMITTER_EMAIL="test@example.org",
    )
    typed = subprocess.run(
        [sys.executable, Path(__file__).with_name("typist.py")],
        input=json.dumps([typed_words(command) for command in commands]),
        cwd=documented.settings.root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=3 * SECONDS,
        check=False,
    )
    assert typed.returncode == 0, typed.stderr[-3000:]
    return dict(zip(commands, (Ended(**one) for one in json.loads(typed.stdout)), strict=True))


def typed_words(command: str) -> list[str]:
    """The words of a command; the training that is run in full names the shop's catalogue, which is not the default."""
    return [*shop_words(command), *(["--catalogue", "shapes"] if command == FITTED else [])]


@pytest.mark.parametrize("command", [DEMO, FITTED, *RUN_HERE])
def test_a_command_of_the_documents_runs(ended, command):
    done = ended[command]
    allowed = next((codes for start, codes in CODES.items() if command.startswith(start)), {0})
    assert done.code in allowed, done
    assert "Traceback" not in done.out + done.err
    if done.code == 1:
        assert done.out or "nothing to restore" in done.err, done


@pytest.mark.parametrize("command", READ_HERE)
def test_a_training_of_the_documents_has_a_recipe(command, capsys, monkeypatch):
    asked = []

    class Read(SystemExit):
        """The recipe is read, and nothing is trained."""

    def read(_, request):
        asked.append(request)
        raise Read

    monkeypatch.setattr("flows.cli.train_once.train_or_skip", read)
    words = shlex.split(command)
    with terminal(capsys, ROOT=SOURCE) as packshot:
        code, _, err = packshot(*words[1:])
    assert code == 0, err
    (request,) = asked
    assert isinstance(request.recipe, FamilyConfig)
    assert request.recipe.family == words[2]
    assert request.catalogue == (words[words.index("--catalogue") + 1] if "--catalogue" in words else "fashion-mnist")


@pytest.mark.parametrize(("command", "recipe"), MADE_BY_MAKE.items())
def test_make_starts_what_the_documents_say(command, recipe):
    asked = ["make", "-n", *command.split()[1:]]
    assert recipe in subprocess.run(asked, cwd=SOURCE, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("file", "what"), RUN_ELSEWHERE.values())
def test_a_command_that_is_run_elsewhere_is_run_there(file, what):
    assert what in (SOURCE / "tests" / file).read_text()


def test_nothing_is_listed_that_the_documents_do_not_show():
    assert {*MADE_BY_MAKE, *RUN_ELSEWHERE, FITTED} <= set(all_commands())


def test_both_readmes_show_the_same_commands():
    english, chinese = map(read_commands, READMES)
    assert english == chinese


def test_commands_are_ones_that_can_be_typed():
    programs = {shlex.split(command)[0] for command in all_commands()}
    assert programs <= {"packshot", "make", "git", "PACKSHOT_RETRAIN_CRON=30 4 * * *"}
