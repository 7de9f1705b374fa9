"""A version as a local file, after comparing it with what the ledger says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.errors import RegistryError
from tasks.registry.model_folder import ONNX_FILE, WEIGHTS_FILE
from tasks.registry.recording import CHALLENGER, CHAMPION
from tasks.registry.slot_view import SlotView, view_slot
from tasks.registry.tracking import open_tracking
from tasks.registry.versions import VersionSummary, nothing_such
from tasks.registry.witnesses import Unlike, Unwitnessed, witnessed_tags
from tasks.workspace.settings import TrackingPlace


@dataclass(frozen=True)
class VersionInfo(VersionSummary):
    """A version with a local ONNX file, all as the ledger says; `tags` are those that it vouches for.

    `witness` is the digest of all of its files and of its provenance.
    """

    onnx_path: Path
    witness: str = ""


def load_version(settings: TrackingPlace, slot: str, version_or_alias: int | str) -> VersionInfo:
    """The version by number or alias (`3`, `"3"`, `"champion"`), with its files and tags checked against the ledger.

    Raises:
        RegistryError: there is no such slot, version or alias (the message lists what there is); the alias is not where
            the ledger says; the ledger has no entry of the version; a file or a tag is not what was registered.
        LedgerError: the ledger does not hold.
    """
    view = view_slot(settings.home, open_tracking(settings), slot)
    found = _find(view, str(version_or_alias).removeprefix("@"))
    try:
        witness, folder = view.check(found)
    except (Unlike, Unwitnessed) as error:
        fault = view.find_fault(found)
        raise RegistryError(fault.text if fault else f"{error}; choose another: packshot models") from error
    told = {**vars(found), "tags": witnessed_tags(found, witness)}
    return VersionInfo(**told, onnx_path=folder / ONNX_FILE, witness=witness.digest)


def fetch_weights(settings: TrackingPlace, slot: str, version_or_alias: int | str) -> tuple[VersionInfo, Path]:
    """The version by number or alias, and the local path of its networks' weights; checked as `load_version` does.

    Raises:
        RegistryError: as `load_version`; or the version was registered without weights.
    """
    found = load_version(settings, slot, version_or_alias)
    path = found.onnx_path.with_name(WEIGHTS_FILE)
    if not path.is_file():
        raise RegistryError(f"{slot} version {found.version} was registered without the weights that a training needs")
    return found, path


def _find(view: SlotView, wanted: str) -> VersionSummary:
    if wanted in (CHAMPION, CHALLENGER):
        fault = view.find_alias_fault(wanted)
        if fault is not None:
            raise RegistryError(fault.text)
    found = next((v for v in view.versions if wanted == str(v.version) or wanted in v.aliases), None)
    if found is None:
        raise RegistryError(nothing_such(view.tracking, view.slot, wanted, view.versions))
    return found
