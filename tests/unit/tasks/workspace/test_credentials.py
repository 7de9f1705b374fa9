"""The passwords' file: who may read it, who makes it, what wins, and what is said when it is damaged."""

import os
import stat
import subprocess
import sys

import pytest

from models.errors import StorageError
from tasks.workspace.credentials import FILE, MAKERS, load_credentials

MAKE = """
import os, sys
from pathlib import Path
from tasks.workspace.credentials import load_credentials
os.umask(int(sys.argv[2], 8))
sys.stdin.read()
print(load_credentials(Path(sys.argv[1]), {}).prefect.get_secret_value())
"""


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def umask():
    before = os.umask(0)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_the_file_is_its_owners_alone_under_any_umask(home, umask, mask):
    umask(mask)
    load_credentials(home, {})
    assert (mode(home), mode(home / FILE)) == (0o700, 0o600)


def test_a_home_that_others_could_enter_is_closed(home, umask):
    umask(0)
    home.mkdir()
    assert mode(home) == 0o777
    load_credentials(home, {})
    assert mode(home) == 0o700


def test_all_readers_have_the_same_and_another_home_has_others(home, tmp_path):
    first = load_credentials(home, {})
    assert load_credentials(home, {}) == first
    other = load_credentials(tmp_path / "other", {})
    assert other.prefect != first.prefect
    assert other.mlflow_password != first.mlflow_password
    assert other.server_key != first.server_key


def test_two_first_starts_at_once_agree(home):
    command = [sys.executable, "-c", MAKE, str(home), "000"]
    pipe = subprocess.PIPE
    starts = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for start in starts:  # both are past their imports, or will be: the lock is what makes them agree
        start.stdin.close()
    made = {start.stdout.read().strip() for start in starts}
    for start in starts:
        start.stdout.close()
        assert start.wait() == 0
    assert made == {load_credentials(home, {}).prefect.get_secret_value()}
    assert mode(home / FILE) == 0o600
    assert sorted(path.name for path in home.iterdir()) == [FILE, "secrets.lock"], "no temporary file is left"


def test_what_the_environment_sets_wins(home):
    made = load_credentials(home, {})
    ours = load_credentials(home, {"MLFLOW_TRACKING_PASSWORD": "own", "PREFECT_SERVER_API_AUTH_STRING": "me:own"})
    assert ours.mlflow.get_secret_value() == "packshot:own"
    assert ours.prefect.get_secret_value() == "me:own"
    assert ours.server_key == made.server_key
    client = {"PREFECT_API_AUTH_STRING": "me:client", "PREFECT_SERVER_API_AUTH_STRING": "me:server"}
    assert load_credentials(home, client).prefect.get_secret_value() == "me:client"


def test_an_empty_variable_is_no_password(home):
    assert load_credentials(home, {"PREFECT_API_AUTH_STRING": ""}) == load_credentials(home, {})


def test_an_environment_that_sets_all_needs_no_file(home):
    load_credentials(home, dict.fromkeys(MAKERS, "own"))
    assert not home.exists()


def test_a_line_that_is_missing_is_made_and_the_others_stay(home):
    made = load_credentials(home, {})
    path = home / FILE
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*(line for line in lines if "MLFLOW_TRACKING_PASSWORD" not in line), "MINE=1"]))
    again = load_credentials(home, {})
    assert again.mlflow_password != made.mlflow_password
    assert again.prefect == made.prefect
    assert load_credentials(home, {}) == again
    assert "MINE=1" in path.read_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PREFECT_API_AUTH_STRING=a:b\nsecret-word\n", "line 2: not NAME=VALUE"),
        (b"PREFECT_API_AUTH_STRING=\n", "line 1: not NAME=VALUE"),
        (b"secret word=1\n", "line 1: not NAME=VALUE"),
        (b"\xff\xfe secret", "it is not text"),
    ],
)
def test_a_damaged_file_is_one_line_that_does_not_say_what_it_holds(home, content, said):
    load_credentials(home, {})
    (home / FILE).write_bytes(content)
    with pytest.raises(StorageError) as caught:
        load_credentials(home, {})
    line = str(caught.value)
    assert str(home / FILE) in line
    assert said in line
    assert "\n" not in line
    assert "secret" not in line.replace(FILE, "")
    assert (home / FILE).read_bytes() == content, "it is the user's to mend"


@pytest.mark.parametrize(("path", "changed"), [(FILE, 0o640), (FILE, 0o604), ("", 0o770)])
def test_a_file_that_others_could_read_or_replace_is_refused(home, path, changed):
    load_credentials(home, {})
    (home / path).chmod(changed)
    with pytest.raises(StorageError, match=f"other accounts may .*mode.* {changed:o}.*chmod"):
        load_credentials(home, {})


def test_no_representation_shows_a_password(home):
    made = load_credentials(home, {})
    for secret in (made.prefect, made.mlflow_password, made.server_key, made.mlflow):
        assert secret.get_secret_value() not in repr(made) + str(made) + made.model_dump_json()
