"""Slots in MLflow's registry: an ONNX file becomes a version, and a version becomes a local file again."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tasks.lineage.entries import Intent, Witness, find_witness
from tasks.registry.model_folder import ONNX_FILE, WEIGHTS_FILE, find_folder, load_onnx, write_model_folder
from tasks.registry.recording import Recorder, recording
from tasks.registry.tracking import Tracking, open_tracking, service_errors
from tasks.registry.versions import search_versions
from tasks.registry.witnesses import list_files
from tasks.workspace.settings import TrackingPlace
from tasks.workspace.storage import digest_file, locked

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

DESCRIPTION_LENGTH = 5000
WEIGHTS_TAG = "weights_sha256"


class Logged(NamedTuple):
    """A model logged to a run, and SHA-256 of each of its files."""

    model: LoggedModel
    files: dict[str, str]


def register(
    settings: TrackingPlace,
    run_id: str,
    slot: str,
    family: str,
    onnx_path: Path,
    *,
    model_card: str,
    tags: Mapping[str, str],
    weights: Path | None = None,
) -> int:
    """Log the ONNX file as an MLflow model of the run and make it the next version of `slot`; returns the version.

    The registered file is byte-equal to `onnx_path`. Registering the same bytes from the same run again returns the
    existing version. `tags` go on the version, beside `family` and `onnx_sha256`; `model_card` is Markdown.
    `weights`, the networks that other trainings may start from, are stored beside the ONNX file with their own tag.

    Raises:
        InputError: the file is not an ONNX model in one piece.
        ServiceError: MLflow cannot be reached.
    """
    tracking = open_tracking(settings)
    digest = digest_file(onnx_path)
    digests = {"onnx_sha256": digest} | ({WEIGHTS_TAG: digest_file(weights)} if weights else {})
    tags = {**tags, "family": family, **digests}
    with locked(settings.home / "locks" / "registry.lock", seconds=600, doing="registering a model"):
        with recording(settings) as recorder:
            known = _find_known(settings.home, recorder, slot, Witness(run_id=run_id, files={}, tags=tags))
        if known is not None:
            return known
        logged = log_model(tracking, run_id, slot, onnx_path, model_card, weights)
        with service_errors(tracking.uri):
            _create_slot(tracking, slot)
            made = tracking.client.create_model_version(
                slot,
                source=logged.model.artifact_location,  # `models:/ID` is looked up in MLflow's global tracking URI
                run_id=run_id,
                model_id=logged.model.model_id,
                tags=tags,
                description=model_card[:DESCRIPTION_LENGTH],
                await_creation_for=0,  # the database has it at once
            )
        with recording(settings) as recorder:
            _witness(recorder, slot, int(made.version), Witness(run_id=run_id, files=logged.files, tags=tags))
    return int(made.version)


def _find_known(home: Path, recorder: Recorder, slot: str, wanted: Witness) -> int | None:
    """The version that has the same bytes from the same run; a crash may have kept it from the ledger."""
    entries = recorder.ledger.entries()
    for known in search_versions(recorder.tracking, slot):
        if known.run_id != wanted.run_id or known.tags.get("onnx_sha256") != wanted.tags["onnx_sha256"]:
            continue
        if find_witness(entries, slot, known.version) is not None:
            return known.version
        files = list_files(find_folder(home, recorder.tracking, slot, known.version, None))
        if _has_bytes(files, wanted) and known.tags.items() >= wanted.tags.items():
            _witness(recorder, slot, known.version, wanted.model_copy(update={"files": files}))
            return known.version
    return None


def _has_bytes(files: Mapping[str, str], wanted: Witness) -> bool:
    tags = wanted.tags
    return files.get(ONNX_FILE) == tags["onnx_sha256"] and files.get(WEIGHTS_FILE) == tags.get(WEIGHTS_TAG)


def _witness(recorder: Recorder, slot: str, version: int, witness: Witness) -> None:
    """Write to the ledger what the version is."""
    who, why = getpass.getuser(), f"registered from run {witness.run_id}"
    recorder.record(
        Intent(slot=slot, action="register", version=version, previous=None, who=who, why=why, witness=witness)
    )


def log_model(
    tracking: Tracking, run_id: str, slot: str, onnx_path: Path, model_card: str, weights: Path | None = None
) -> Logged:
    """Log the ONNX file, its signature, an input example, the model card and the weights as a model of the run.

    The steps of `mlflow.onnx.log_model` through the client: that function needs the thread's active run.
    """
    from mlflow.entities import LoggedModelOutput

    client = tracking.client
    proto = load_onnx(onnx_path)
    with service_errors(tracking.uri):
        experiment = client.get_run(run_id).info.experiment_id
        logged = client.create_logged_model(experiment, name=slot, source_run_id=run_id, model_type="onnx")
        with tempfile.TemporaryDirectory() as folder:
            write_model_folder(
                Path(folder) / "model",
                proto,
                onnx_path,
                model_card=model_card,
                run_id=run_id,
                model_id=logged.model_id,
                weights=weights,
            )
            client.log_model_artifacts(logged.model_id, str(Path(folder) / "model"))
            files = list_files(Path(folder) / "model")
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        return Logged(client.finalize_logged_model(logged.model_id, "READY"), files)


def _create_slot(tracking: Tracking, slot: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        tracking.client.create_registered_model(slot)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
