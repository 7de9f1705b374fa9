"""Which trained networks an edit asked for: recorded while operations find them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tasks.operations.contract.operation import Network, Networks
from tasks.provenance.edited import UsedNetwork


class Asked(BaseModel):
    """A network that an operation asked for, and the version it got; `family` is the one asked for, None for any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str
    family: str | None
    version: int


class RecordingNetworks:
    """Networks that note what is asked of them, and what they gave."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._given: dict[Asked, UsedNetwork] = {}

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Each thing that was asked, once."""
        return tuple(self._given)

    @property
    def used(self) -> tuple[UsedNetwork, ...]:
        """Each version that was given, once."""
        return tuple(dict.fromkeys(self._given.values()))

    def network(self, slot: str, family: str | None = None) -> Network:
        """What the networks give, noted once.

        Raises:
            RegistryError: there is none.
        """
        found = self._networks.network(slot, family)
        asked = Asked(slot=slot, family=family, version=found.version)
        self._given[asked] = UsedNetwork(slot=found.slot, version=found.version, family=found.family)
        return found
