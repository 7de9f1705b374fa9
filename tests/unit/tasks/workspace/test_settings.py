"""Where things are: the checkout that is worked in, its home, and what the environment may say."""

import pytest
from pydantic import ValidationError

from tasks.workspace.settings import SOURCE, Settings, find_root


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("HOME", "ROOT", "OFFLINE", "MLFLOW_PORT"):
        monkeypatch.delenv(f"PACKSHOT_{name}", raising=False)


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "shop é"
    (root / "deep" / "er").mkdir(parents=True)
    for name in ("data.dvc", "params.yaml"):
        (root / name).touch()
    return root


def test_the_checkout_is_the_nearest_one_above(checkout, monkeypatch):
    assert find_root(checkout) == find_root(checkout / "deep" / "er") == checkout
    monkeypatch.chdir(checkout / "deep")
    assert Settings().root == checkout


def test_outside_of_any_checkout_it_is_the_codes_own(checkout, tmp_path):
    (checkout / "params.yaml").unlink()
    assert find_root(checkout) == find_root(tmp_path) == SOURCE


def test_all_state_lies_in_one_home(checkout, tmp_path):
    settings = Settings(root=checkout)
    assert settings.home == checkout / ".packshot"
    moved = Settings(root=checkout, PACKSHOT_HOME=tmp_path / "state")
    for state in (moved.mlflow_database, moved.prefect_database, str(moved.mlflow_artifacts)):
        assert str(tmp_path / "state") in state
    assert moved.mlflow_database != moved.prefect_database  # both have tables of one name
    assert moved.data == checkout / "data"


def test_the_environment_decides_and_paths_become_absolute(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    for name, value in {"ROOT": "deep/..", "HOME": "~/state", "OFFLINE": "true", "MLFLOW_PORT": "5001"}.items():
        monkeypatch.setenv(f"PACKSHOT_{name}", value)
    monkeypatch.setenv("HOME", "/home/ann")
    settings = Settings()
    assert settings.root == checkout
    assert str(settings.home) == "/home/ann/state"
    assert (settings.offline, settings.mlflow_url) == (True, "http://127.0.0.1:5001")


@pytest.mark.parametrize("wrong", [{"prefect_port": 0}, {"mlflow_port": 65536}, {"checkpoint_seconds": 0}])
def test_values_out_of_bounds_are_refused_by_name(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Settings(**wrong)


def test_the_libraries_find_their_state_in_the_home_and_stay_silent(checkout):
    told = Settings(root=checkout).environment()
    assert told["PREFECT_HOME"] == str(checkout / ".packshot" / "prefect")
    assert told["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert told["DO_NOT_TRACK"] == "1"
