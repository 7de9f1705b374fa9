"""The versions of slots as MLflow lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.errors import RegistryError
from tasks.registry.tracking import Tracking, open_tracking, service_errors
from tasks.workspace.settings import TrackingPlace

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


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


def list_slots(settings: TrackingPlace) -> list[str]:
    """The names of all slots, in order."""
    return search_slots(open_tracking(settings))


def list_versions(settings: TrackingPlace, slot: str) -> list[VersionSummary]:
    """The versions of `slot`, newest first.

    Raises:
        RegistryError: there is no such slot; the message lists the slots.
    """
    tracking = open_tracking(settings)
    versions = search_versions(tracking, slot)
    if not versions:
        raise RegistryError(nothing_such(tracking, slot, "", versions))
    return versions


def search_versions(tracking: Tracking, slot: str) -> list[VersionSummary]:
    """The versions of `slot`, newest first; none when there is no such slot."""
    if "'" in slot:  # no slot has it, and MLflow's filters cannot express it
        return []
    with service_errors(tracking.uri):
        found = tracking.client.search_model_versions(f"name = '{slot}'", max_results=10_000)
        aliases = tracking.client.get_registered_model(slot).aliases if found else {}
    return sorted((_summary(version, aliases) for version in found), key=lambda version: -version.version)


def search_slots(tracking: Tracking) -> list[str]:
    """The names of all slots, in order."""
    with service_errors(tracking.uri):
        return sorted(model.name for model in tracking.client.search_registered_models(max_results=1000))


def nothing_such(tracking: Tracking, slot: str, wanted: str, versions: list[VersionSummary]) -> str:
    """What there is instead of the version that is wanted."""
    if not versions:
        slots = ", ".join(search_slots(tracking)) or "none yet: packshot train makes the first"
        return f"slot: got {slot!r}, which has no versions; slots: {slots}"
    there = ", ".join(f"{v.version}{''.join(f' @{alias}' for alias in v.aliases)}" for v in versions)
    return f"version of {slot}: got {wanted!r}, there are: {there}"


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
