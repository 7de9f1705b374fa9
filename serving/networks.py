"""Trained networks for editing operations: found in the registry, loaded once, shared by all threads."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from models.arrays import Planes
from models.errors import LedgerError, RegistryError
from tasks.promotion.shipments import register_shipped
from tasks.workspace.settings import Settings, TrackingPlace

if TYPE_CHECKING:
    from tasks.operations.contract.operation import Network


class RegistryNetworks:
    """The networks of one registry, each loaded on first use and unchanged from then on.

    So all photographs in a batch are edited by the same versions (or by none), whatever is promoted meanwhile.
    `threads` is what one call of a network may use: 0 for all cores, 1 when many photographs are edited at once.
    """

    def __init__(self, settings: Settings, threads: int = 0) -> None:
        self._settings, self._threads = settings, threads
        self._loaded: dict[tuple[str, str | None], LoadedNetwork | RegistryError] = {}
        self._lock = Lock()

    def network(self, slot: str, family: str | None = None) -> Network:
        """The champion of `slot`, or the newest version of it that is of `family`.

        Shipped weights of the slot are registered first, if they are not yet.

        Raises:
            RegistryError: there is no such slot or champion, no version of the family, or a file was lost or changed.
            ServiceError: MLflow cannot be reached.
        """
        with self._lock:
            found = self._loaded.get((slot, family))
            if found is None:
                found = self._loaded[slot, family] = self._find(slot, family)
        if isinstance(found, RegistryError):
            raise RegistryError(*found.args)  # a new one: raising the same one again would lengthen its traceback
        return found

    def _find(self, slot: str, family: str | None) -> LoadedNetwork | RegistryError:
        """The network, or why there is none, so that a thousand photographs do not ask a thousand times."""
        try:
            register_shipped(self._settings, slot)
            return self._load(slot, family)
        except RegistryError as error:
            return error
        except LedgerError as error:
            return RegistryError(str(error))

    def _load(self, slot: str, family: str | None) -> LoadedNetwork:
        from tasks.registry.loading import load_version

        version = "champion" if family is None else newest(self._settings, slot, family)
        info = load_version(self._settings, slot, version)
        digest = info.tags["onnx_sha256"]
        return LoadedNetwork(slot, info.version, info.tags["family"], digest, info.onnx_path, self._threads)


class LoadedNetwork:
    """A registered version as operations use it; may be called by many threads at once."""

    def __init__(self, slot: str, version: int, family: str, onnx_sha256: str, path: Path, threads: int) -> None:
        from models.exported.editor import ExportedRestoration

        self.slot, self.version, self.family, self.onnx_sha256 = slot, version, family, onnx_sha256
        self._network = ExportedRestoration(path, threads)
        self.facts: dict[str, object] = self._network.facts

    def run(self, **inputs: Planes) -> Planes:
        """One call: planes (N, C, H, W) in [0, 1] by input name to planes (N, C', H', W')."""
        return self._network.run(**inputs)


def newest(settings: TrackingPlace, slot: str, family: str) -> int:
    """The newest version of `slot` that is of `family`.

    Raises:
        RegistryError: there is none; the message lists the available families.
    """
    from tasks.registry.versions import list_versions

    versions = list_versions(settings, slot)
    found = next((one.version for one in versions if one.tags.get("family") == family), None)
    if found is None:
        there = ", ".join(sorted({one.tags.get("family", "unknown") for one in versions}))
        raise RegistryError(f"family: got {family!r}, of which {slot} has no version; there are: {there}")
    return found
