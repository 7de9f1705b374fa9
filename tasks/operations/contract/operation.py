"""What an operation is: its parameters, whether it may alter the product, and how it makes one picture of another."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from models.errors import RegistryError
from tasks.photos.picture import Picture

Planes = npt.NDArray[np.float32]


class Network(Protocol):
    """A registered version, loaded: what it is, and what it makes."""

    slot: str
    version: int
    family: str
    facts: dict[str, object]
    """What its export says of it, such as `{"scale": 2}`."""

    def run(self, **inputs: Planes) -> Planes:
        """One call: named arrays (N, C, H, W) in, one (N, C, H', W') out."""


class Networks(Protocol):
    """Where operations find trained networks; `serving` has the one over the registry."""

    def network(self, slot: str, family: str | None = None) -> Network:
        """The champion of `slot`, or the newest version of it that is of `family`.

        Raises:
            RegistryError: there is none.
        """


class EditContext(NamedTuple):
    """What an operation may use beside its picture and its parameters."""

    networks: Networks
    seed: int = 0


class Operation(BaseModel):
    """The parameters of one operation; a subclass is one file of `tasks/edit`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    may_alter_product: ClassVar[bool]
    """True where a buyer could be shown another product than the one photographed."""
    value_field: ClassVar[str | None] = None
    """The parameter that `--op NAME:VALUE` gives, such as `scale`."""
    title: ClassVar[str]
    """One line for lists and pages."""

    op: str

    @abstractmethod
    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The edited picture.

        Raises:
            InputError: the parameters do not fit this picture.
        """


def read_number(network: Network, name: str) -> int:
    """A whole number that the network's export says of it, such as its `scale`.

    Raises:
        RegistryError: it does not.
    """
    value = network.facts.get(name)
    if not isinstance(value, int):
        raise RegistryError(f"{network.slot} version {network.version} does not say its {name!r}, a whole number")
    return value
