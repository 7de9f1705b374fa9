"""Tracking and registration on a real MLflow in SQLite, without a server."""

from __future__ import annotations

import shutil

import numpy as np
import onnxruntime
import pytest
from mlflow import MlflowClient
from pydantic import SecretStr
from starlette.responses import PlainTextResponse

from models.errors import InputError, RegistryError, ServiceError
from serving.wall.asgi import Entrance, Wall
from serving.wall.origins import host_names
from tasks.auditing.healing import restore_ledger
from tasks.registry.loading import fetch_weights, load_version
from tasks.registry.register import register
from tasks.registry.server import serves_home, sign_in
from tasks.registry.tracking import Tracking, open_tracking
from tasks.registry.versions import list_slots, list_versions
from tasks.workspace.credentials import FILE, load_credentials
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file
from tests.asgi_server import running

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # MLflow's own models, at import
MD5 = "a" * 32


@pytest.fixture
def settings(registry_settings) -> Settings:
    return registry_settings


def test_run_keeps_params_metrics_figure_and_dataset(settings, tracking, tmp_path):
    run_id = tracking.start_or_resume_run("test", None, "first", {"family": "dcgan"}, {"epochs": 3})
    tracking.log_metrics(run_id, 5, {"loss": 0.5, "speed": 300.0})
    (tmp_path / "grid.txt").write_text("grid")
    tracking.log_figure_file(run_id, tmp_path / "grid.txt", "grids")
    tracking.log_dataset(run_id, "shirts", MD5, "data/shirts", "training")
    tracking.end_run(run_id)
    run = tracking.client.get_run(run_id)
    assert run.data.params == {"epochs": "3"}
    assert run.data.metrics == {"loss": 0.5, "speed": 300.0}
    assert run.info.status == "FINISHED"
    assert run.info.artifact_uri == f"mlflow-artifacts:/test/{run_id}/artifacts"
    kept = settings.mlflow_artifacts / "test" / run_id / "artifacts" / "grids" / "grid.txt"
    assert kept.read_text() == "grid"
    found = tracking.client.search_runs([run.info.experiment_id], f"dataset.digest = '{MD5}'")
    assert run_id in [one.info.run_id for one in found]


def test_resumed_run_is_the_same_run_and_running(tracking):
    run_id = tracking.start_or_resume_run("test", None, "killed", {}, {"epochs": 3})
    tracking.end_run(run_id, "FAILED")
    assert tracking.start_or_resume_run("test", run_id, "killed", {"resumed": "1"}, {"epochs": 3}) == run_id
    run = tracking.client.get_run(run_id)
    assert run.info.status == "RUNNING"
    assert run.data.tags["resumed"] == "1"


def test_unknown_run_and_long_digest_are_refused(tracking):
    with pytest.raises(InputError, match="run: got 'nope'"):
        tracking.start_or_resume_run("test", "nope", "x", {}, {})
    with pytest.raises(InputError, match="data md5"):
        tracking.log_dataset("any", "shirts", "sha256:" + "a" * 64, "data", "training")


def test_unreachable_server_is_an_error_with_the_address(settings, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", settings.mlflow_url)
    with pytest.raises(ServiceError, match=f"{settings.mlflow_url}.*packshot up"):
        open_tracking(settings)


def test_no_server_means_the_database(settings, tracking):
    assert not serves_home(settings)
    assert tracking.uri == settings.mlflow_database


def walled(settings, home):
    """A server of `home` that takes no password, on the port of `settings`."""
    port, nobody, key = settings.mlflow_port, SecretStr("nobody:nothing"), load_credentials(home, {}).server_key
    entrance = Entrance("", home, port, host_names("127.0.0.1", port), key, nobody, keep="", open_paths=frozenset())
    return running(Wall(PlainTextResponse("ok"), entrance), port)


@pytest.mark.parametrize(("served", "ours"), [("home", True), ("copy", False), ("another", False)])
def test_only_the_server_of_this_home_is_used(settings, tmp_path, served, ours):
    home = settings.home if served == "home" else tmp_path / "home"
    load_credentials(settings.home, {})
    if served == "copy":
        home.mkdir(mode=0o700)
        shutil.copy(settings.home / FILE, home)
    with walled(settings, home):
        assert serves_home(settings) is ours


def test_a_server_that_refuses_the_password_is_one_line_at_the_start_and_later(settings, monkeypatch):
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "wrong")
    with walled(settings, settings.home):
        with pytest.raises(ServiceError, match="refuses MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD: unset"):
            sign_in(settings)
        later = Tracking(settings.mlflow_url, MlflowClient(settings.mlflow_url), artifacts=None)
        with pytest.raises(
            ServiceError, match="refuses MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD: they are"
        ):
            later.experiment("any")


def test_registered_file_has_the_bytes_and_gives_the_numbers(settings, slot, add_version, tmp_path):
    version = add_version(2.0)
    info = load_version(settings, slot, version)
    assert info.onnx_path.read_bytes() == (tmp_path / "2.0.onnx").read_bytes()
    assert info.tags == {"data_md5": MD5, "family": "linear", "onnx_sha256": digest_file(info.onnx_path)}
    assert info.description == "# 2.0"
    session = onnxruntime.InferenceSession(str(info.onnx_path), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"latent": np.ones((1, 4), np.float32)})[0], [[8, 8, 8]])


def test_model_folder_loads_with_signature_and_example(settings, slot, add_version):
    import mlflow.onnx
    from mlflow.models import Model

    folder = load_version(settings, slot, add_version()).onnx_path.parent
    model = Model.load(str(folder))
    assert model.signature.inputs.inputs[0].shape == (-1, 4)
    assert model.signature.outputs.input_names() == ["image"]
    assert model.load_input_example(str(folder))["latent"].shape == (2, 4)
    assert mlflow.onnx.load_model(str(folder)).graph.name == "g"


def test_same_file_of_same_run_registers_once(settings, tracking, slot, tmp_path, write_onnx):
    run_id = tracking.start_or_resume_run("test", None, "run", {}, {})
    path = write_onnx(tmp_path / "m.onnx", 1.0)
    versions = [register(settings, run_id, slot, "linear", path, model_card="card", tags={}) for _ in range(2)]
    assert versions == [1, 1]
    assert len(list_versions(settings, slot)) == 1


def test_a_file_that_is_not_onnx_is_refused(settings, tracking, slot, tmp_path):
    run_id = tracking.start_or_resume_run("test", None, "run", {}, {})
    (tmp_path / "m.onnx").write_bytes(b"not onnx")
    with pytest.raises(InputError, match="valid ONNX model"):
        register(settings, run_id, slot, "linear", tmp_path / "m.onnx", model_card="", tags={})


def test_unknown_slot_and_version_list_what_there_is(settings, slot, add_version):
    add_version()
    for unknown in ("no-such-slot", "it's", ""):
        with pytest.raises(RegistryError, match=f"slots: .*{slot}"):
            load_version(settings, unknown, 1)
    with pytest.raises(RegistryError, match="got '7', there are: 1"):
        load_version(settings, slot, 7)
    assert slot in list_slots(settings)


def test_changed_or_lost_file_is_noticed(settings, slot, add_version):
    path = load_version(settings, slot, add_version()).onnx_path
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(RegistryError, match="does not have the bytes"):
        load_version(settings, slot, 1)
    path.unlink()
    with pytest.raises(RegistryError, match="is lost"):
        load_version(settings, slot, 1)
    restore_ledger(settings, who="ann")
    with pytest.raises(RegistryError, match="version 1 was withdrawn by ledger entry"):
        load_version(settings, slot, 1)


def test_weights_that_trainings_start_from_are_kept_beside_the_model(settings, tracking, slot, tmp_path, write_onnx):
    run_id = tracking.start_or_resume_run("test", None, "run", {}, {})
    onnx, weights = write_onnx(tmp_path / "m.onnx", 1.0), tmp_path / "networks.safetensors"
    weights.write_bytes(b"weights")
    version = register(settings, run_id, slot, "linear", onnx, model_card="card", tags={}, weights=weights)
    found, path = fetch_weights(settings, slot, "1")
    assert (found.version, found.tags["weights_sha256"]) == (version, digest_file(weights))
    assert path.read_bytes() == b"weights"
    assert path.parent == load_version(settings, slot, version).onnx_path.parent


def test_a_version_without_weights_cannot_start_a_training(settings, slot, add_version):
    version = add_version()
    with pytest.raises(RegistryError, match=f"{slot} version {version} was registered without the weights"):
        fetch_weights(settings, slot, version)
