"""What the command line says of a wrong value, before it starts anything: one line, exit code, no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
import yaml

from tests.catalogues import make_checkout
from tests.terminal import terminal
from tests.workshop import PARAMS

TRAIN = ("train", "dcgan", "--catalogue", "shapes")
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    settings = make_checkout(tmp_path_factory.mktemp("cli") / "checkout")
    (settings.root / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    return settings


@pytest.fixture
def packshot(checkout, capsys):
    with terminal(capsys, ROOT=checkout.root, HOME=checkout.home) as run:
        yield run


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("train", "dcgna"), "family: got 'dcgna', allowed: one of dcgan"),
        ((*TRAIN, "--set", "colour=3"), "parameter: got 'colour', allowed: one of augment, auxiliary, batch_size, "),
        ((*TRAIN, "--set", "learning_rate=5"), "learning_rate: got 5, allowed: less than or equal to 1"),
        ((*TRAIN, "--epochs", "0"), "epochs: got 0, allowed: greater than or equal to 1"),
        ((*TRAIN, "--seed", "-1"), "seed: got -1, allowed: greater than or equal to 0"),
        ((*TRAIN, "--set", "epochs"), "--set: got 'epochs', allowed: name=value, such as batch_size=128"),
        ((*TRAIN, "--max-quarantined", "3"), "max_quarantined: got 3.0, allowed: less than or equal to 1"),
        (("train", "dcgan", "--catalogue", "../etc"), "catalogue: got '../etc', allowed: lower-case letters, "),
        (("generate", "generate-shapes", "--count", "0"), "count: got 0, allowed: 1 to 100000"),
        (("generate", "generate-shapes", "--seed", "-1"), "seed: got -1, allowed: 0 to 2147483647"),
        (("data", "add", "no-such-folder", "--name", "new"), "folder: got 'no-such-folder', allowed: "),
        (("lineage",), "X: got 'nothing', allowed: a generated file, "),
        (("lineage", "nonsense"), "X: got 'nonsense', allowed: a generated file, "),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(packshot, arguments, line):
    code, out, err = packshot(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {line}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", [TRAIN, ("generate", "generate-shapes")])
@pytest.mark.parametrize(
    ("name", "value", "code", "line"),
    [
        ("MLFLOW_TRACKING_URI", NOBODY, 1, f"error: MLflow does not answer at {NOBODY} ("),
        ("MLFLOW_TRACKING_URI", "./mlruns", 2, "error: MLFLOW_TRACKING_URI: got './mlruns', allowed: http://HOST:PORT"),
        ("PREFECT_API_URL", NOBODY, 1, f"error: PREFECT_API_URL: no Prefect server answers at {NOBODY}; start it"),
    ],
)
def test_a_server_that_was_named_and_does_not_answer_is_an_error_at_once(packshot, command, name, value, code, line):
    os.environ[name] = value
    ended, out, err = packshot(*command)
    assert (ended, out) == (code, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_a_port_that_something_else_uses_is_named(packshot, monkeypatch):
    monkeypatch.setattr("flows.processes.prefect_server.BUSY_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        os.environ["PACKSHOT_PREFECT_PORT"] = str(port)
        code, _, err = packshot(*TRAIN)
    assert code == 1
    assert err.startswith(f"error: port {port} on 127.0.0.1 is in use, and Prefect needs it")
    assert "PACKSHOT_PREFECT_PORT" in err


def test_an_unknown_command_is_answered_with_the_way_to_help(packshot):
    code, out, err = packshot("trian")
    assert (code, out) == (2, "")
    assert "packshot --help" in err
    assert "No such command 'trian'" in err


def test_the_commands_are_listed_at_once_nothing_that_computes_is_imported():
    heavy = ("numpy", "PIL", "cv2", "pydantic", "yaml", "torch", "mlflow", "prefect", "pandas", "dvc", "scipy")
    code = f"import sys\nimport flows.cli.app\nprint([name for name in {heavy!r} if name in sys.modules])\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
