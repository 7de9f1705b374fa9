"""Homes of older versions, whose registries hold absolute paths: opened, moved and copied."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from models.errors import InputError
from tasks.registry.loading import load_version
from tasks.registry.locations import COLUMNS, address, find_files, find_strays, open_files
from tasks.registry.register import register
from tasks.registry.tracking import open_tracking
from tasks.workspace.settings import Settings
from tests.e2e.shop import free_port

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # MLflow's own models, at import
SLOT = "generate-old"


def home_at(path: Path) -> Settings:
    return Settings(PACKSHOT_HOME=path, mlflow_port=free_port())


def database_of(settings: Settings) -> Path:
    return settings.home / "mlflow" / "mlflow.db"


def locations(settings: Settings) -> list[str]:
    with closing(sqlite3.connect(database_of(settings))) as connection:
        return [row[0] for table, column in COLUMNS for row in connection.execute(f"select {column} from {table}")]


@pytest.fixture
def old(tmp_path, write_onnx, monkeypatch) -> Settings:
    """A home with a version, as it was written before locations could move."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    settings = home_at(tmp_path / "here" / ".packshot")
    tracking = open_tracking(settings)
    run = tracking.start_or_resume_run("train", None, "old", {}, {})
    onnx = write_onnx(tmp_path / "old.onnx", 2.0)
    tracking.log_figure_file(run, onnx)
    register(settings, run, SLOT, "linear", onnx, model_card="# old", tags={})
    with closing(sqlite3.connect(database_of(settings))) as connection, connection:
        for table, column in COLUMNS:
            path = f"{settings.mlflow_artifacts}/"
            connection.execute(f"update {table} set {column} = replace({column}, 'mlflow-artifacts:/', ?)", (path,))
    (settings.mlflow_artifacts / ".ready").write_text("")
    return settings


def check(settings: Settings) -> None:
    """The version is found, and all that is remembered and written is here."""
    version = load_version(settings, SLOT, 1)
    assert version.onnx_path.is_relative_to(settings.mlflow_artifacts)
    assert {location.partition("/")[0] for location in locations(settings)} == {"mlflow-artifacts:"}
    assert find_strays(database_of(settings), settings.mlflow_artifacts) == []
    tracking = open_tracking(settings)
    (kept,) = tracking.client.list_artifacts(version.run_id)
    assert kept.path == "old.onnx"


def test_an_old_home_is_read_where_it_stands(old):
    assert all(location.startswith("/") for location in locations(old))
    check(old)


def test_an_old_home_that_was_moved_is_read(old, tmp_path):
    (tmp_path / "here").rename(tmp_path / "there")
    check(home_at(tmp_path / "there" / ".packshot"))
    assert not (tmp_path / "here").exists()


def test_a_copy_takes_what_was_written_to_the_original(old, tmp_path):
    (run,) = (old.mlflow_artifacts / "train").glob("[0-9a-f]*")
    copy = tmp_path / "copy" / ".packshot"
    shutil.copytree(old.home, copy, ignore=lambda folder, _: [run.name] if Path(folder) == run.parent else [])
    before = sorted(str(path) for path in old.home.rglob("*"))
    check(home_at(copy))
    assert sorted(str(path) for path in old.home.rglob("*")) == before


def test_what_lies_elsewhere_is_named(old, tmp_path):
    open_tracking(old)
    with closing(sqlite3.connect(database_of(old))) as connection, connection:
        connection.execute("update runs set artifact_uri = ?", (str(tmp_path / "a disk" / "run"),))
    assert find_strays(database_of(old), old.mlflow_artifacts) == [str(tmp_path / "a disk" / "run")]


def test_an_address_means_a_folder_of_the_home():
    artifacts = Path("/home/x/mlflow/artifacts")
    assert find_files(artifacts, address("train/1")) == artifacts / "train" / "1"
    assert find_files(artifacts, "file:///a%20b/c") == Path("/a b/c")
    assert find_files(artifacts, "mlflow-artifacts://elsewhere:5000/train/1") is None
    assert find_files(artifacts, "s3://bucket/train") is None


@pytest.mark.parametrize(
    "name", ["../secrets.env", "a/../../secrets.env", "%2e%2e/secrets.env", "a/..%2f..%2fx", "a%00"]
)
def test_an_address_that_leads_out_of_the_artifacts_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"^location: got .*, allowed: a path inside "):
        find_files(tmp_path / "artifacts", f"mlflow-artifacts:/{name}")
    with pytest.raises(InputError, match=r"^location: "):
        open_files(f"mlflow-artifacts:/{name}", f"sqlite:///{tmp_path}/mlflow.db")
