"""Slots in MLflow's registry: an ONNX file becomes a version, and a version becomes a local file again."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import RegistryError
from tasks.lineage.ledger import Ledger
from tasks.registry.model_folder import ONNX_FILE, WEIGHTS_FILE, fetch_file, load_onnx, write_model_folder
from tasks.registry.tracking import Tracking, open_tracking, service_errors
from tasks.workspace.settings import TrackingPlace
from tasks.workspace.storage import digest_file, locked

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

CHAMPION = "champion"
CHALLENGER = "challenger"
DESCRIPTION_LENGTH = 5000
WEIGHTS_TAG = "weights_sha256"


@dataclass(frozen=True)
class VersionSummary:
    """A version as the registry lists it; `created` is milliseconds since 1970."""

    slot: str
    version: int
    run_id: str
    tags: Mapping[str, str]
    aliases: tuple[str, ...]
    description: str
    created: int

    @property
    def uri(self) -> str:
        """The version's address, as MLflow and `packshot lineage` understand it."""
        return f"models:/{self.slot}/{self.version}"


@dataclass(frozen=True)
class VersionInfo(VersionSummary):
    """A version with a local ONNX file whose bytes were checked against the registered digest."""

    onnx_path: Path


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
    with locked(settings.home / "locks" / "registry.lock", seconds=600, doing="registering a model"):
        for known in _search(tracking, slot):
            if known.run_id == run_id and known.tags.get("onnx_sha256") == digest:
                return known.version
        model = log_model(tracking, run_id, slot, onnx_path, model_card, weights)
        digests = {"onnx_sha256": digest} | ({WEIGHTS_TAG: digest_file(weights)} if weights else {})
        with service_errors(tracking.uri):
            _create_slot(tracking, slot)
            made = tracking.client.create_model_version(
                slot,
                source=model.artifact_location,  # `models:/ID` is looked up in MLflow's global tracking URI, not ours
                run_id=run_id,
                model_id=model.model_id,
                tags={**tags, "family": family, **digests},
                description=model_card[:DESCRIPTION_LENGTH],
                await_creation_for=0,  # the database has it at once
            )
    return int(made.version)


def log_model(
    tracking: Tracking, run_id: str, slot: str, onnx_path: Path, model_card: str, weights: Path | None = None
) -> LoggedModel:
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
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        return client.finalize_logged_model(logged.model_id, "READY")


def load_version(settings: TrackingPlace, slot: str, version_or_alias: int | str) -> VersionInfo:
    """The version by number or alias (`3`, `"3"`, `"champion"`), with its ONNX file checked against its digest.

    Raises:
        RegistryError: there is no such slot, version or alias (the message lists what there is); the champion is not
            the one the ledger names; the ONNX file is lost or its bytes changed.
    """
    tracking = open_tracking(settings)
    found = _find(settings.home, tracking, slot, version_or_alias)
    path = _fetch(settings.home, tracking, found, ONNX_FILE)
    if digest_file(path) != found.tags.get("onnx_sha256"):
        raise RegistryError(
            f"{slot} version {found.version}: {path} does not have the bytes that were registered; "
            f"restore the file, or move on: packshot rollback {slot}"
        )
    return VersionInfo(**vars(found), onnx_path=path)


def fetch_weights(settings: TrackingPlace, slot: str, version_or_alias: int | str) -> tuple[VersionSummary, Path]:
    """The version by number or alias, and the local path of its networks' weights, checked against their digest.

    Raises:
        RegistryError: there is no such slot, version or alias; the version was registered without weights; the file is
            lost or its bytes changed.
    """
    tracking = open_tracking(settings)
    found = _find(settings.home, tracking, slot, version_or_alias)
    if WEIGHTS_TAG not in found.tags:
        raise RegistryError(f"{slot} version {found.version} was registered without the weights that a training needs")
    path = _fetch(settings.home, tracking, found, WEIGHTS_FILE)
    if digest_file(path) != found.tags[WEIGHTS_TAG]:
        raise RegistryError(
            f"{slot} version {found.version}: {path} does not have the bytes that were registered; restore the file"
        )
    return found, path


def _find(home: Path, tracking: Tracking, slot: str, version_or_alias: int | str) -> VersionSummary:
    wanted = str(version_or_alias).removeprefix("@")
    is_champion = wanted == CHAMPION
    versions, allowed = _search_with_champions(home, tracking, slot) if is_champion else (_search(tracking, slot), [])
    found = next((v for v in versions if wanted == str(v.version) or wanted in v.aliases), None)
    if is_champion:
        _check_champion(slot, found, allowed)
    if found is None:
        raise RegistryError(_nothing_such(tracking, slot, wanted, versions))
    return found


def list_slots(settings: TrackingPlace) -> list[str]:
    """The names of all slots, in order."""
    tracking = open_tracking(settings)
    return _slots(tracking)


def list_versions(settings: TrackingPlace, slot: str) -> list[VersionSummary]:
    """The versions of `slot`, newest first.

    Raises:
        RegistryError: there is no such slot; the message lists the slots.
    """
    tracking = open_tracking(settings)
    versions = _search(tracking, slot)
    if not versions:
        raise RegistryError(_nothing_such(tracking, slot, "", versions))
    return versions


def _create_slot(tracking: Tracking, slot: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        tracking.client.create_registered_model(slot)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _search(tracking: Tracking, slot: str) -> list[VersionSummary]:
    if "'" in slot:  # no slot has it, and MLflow's filters cannot express it
        return []
    with service_errors(tracking.uri):
        found = tracking.client.search_model_versions(f"name = '{slot}'", max_results=10_000)
        aliases = tracking.client.get_registered_model(slot).aliases if found else {}
    return sorted((_summary(version, aliases) for version in found), key=lambda version: -version.version)


def _search_with_champions(home: Path, tracking: Tracking, slot: str) -> tuple[list[VersionSummary], list[int]]:
    """The versions, and the champions that the ledger allows; read again if one moved meanwhile."""
    ledger = Ledger(home)
    before = ledger.champions_allowed(slot)
    while True:
        versions = _search(tracking, slot)
        after = ledger.champions_allowed(slot)
        if before == after:
            return versions, after
        before = after


def _summary(version: ModelVersion, aliases: Mapping[str, str]) -> VersionSummary:
    return VersionSummary(
        slot=version.name,
        version=int(version.version),
        run_id=version.run_id or "",
        tags=dict(version.tags),
        aliases=tuple(sorted(alias for alias, number in aliases.items() if str(number) == str(version.version))),
        description=version.description or "",
        created=int(version.creation_timestamp),
    )


def _slots(tracking: Tracking) -> list[str]:
    with service_errors(tracking.uri):
        return sorted(model.name for model in tracking.client.search_registered_models(max_results=1000))


def _nothing_such(tracking: Tracking, slot: str, wanted: str, versions: list[VersionSummary]) -> str:
    if not versions:
        slots = ", ".join(_slots(tracking)) or "none yet: packshot train makes the first"
        return f"slot: got {slot!r}, which has no versions; slots: {slots}"
    there = ", ".join(f"{v.version}{''.join(f' @{alias}' for alias in v.aliases)}" for v in versions)
    return f"version of {slot}: got {wanted!r}, there are: {there}"


def _check_champion(slot: str, found: VersionSummary | None, allowed: list[int]) -> None:
    if found is None and allowed:
        raise RegistryError(
            f"{slot} has no champion in the registry, though the ledger names version {allowed[0]}: the version or its "
            f"alias was deleted; choose another: packshot promote {slot} --version N, or packshot rollback {slot}"
        )
    if found is not None and found.version not in allowed:
        named = f"names version {allowed[0]}" if allowed else "has no champion"
        raise RegistryError(
            f"champion of {slot} is version {found.version} in the registry, but the ledger {named}: it was moved "
            f"outside Packshot; write it down: packshot promote {slot} --version {found.version}, or choose another"
        )


def _fetch(home: Path, tracking: Tracking, version: VersionSummary, name: str) -> Path:
    path = fetch_file(home, tracking, version.slot, version.version, name)
    if not path.is_file():
        raise RegistryError(
            f"{version.slot} version {version.version}: its file {path} is lost; restore it, or train that run again"
        )
    return path
