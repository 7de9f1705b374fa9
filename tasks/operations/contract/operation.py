"""What an operation is: its parameters, what it promises and marks, and how it makes one picture of another."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from models.arrays import Planes
from models.errors import RegistryError
from tasks.photos.picture import Picture
from tasks.provenance.source_type import Marking

Stage = Literal["content", "background", "size", "frame"]
"""In which order operations mend a picture: what comes first is what the next needs."""


class Network(Protocol):
    """A registered version, loaded: what it is, and what it makes."""

    slot: str
    version: int
    family: str
    facts: dict[str, object]
    """What its exported file says about it, such as `{"scale": 2}`."""

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
    """What an operation may use besides its picture and its parameters."""

    networks: Networks
    seed: int = 0


class Operation(BaseModel):
    """The parameters of one operation; a subclass is one file of `tasks/operations`, called as the operation is.

    A class without `title`, `may_alter_product` and `marking` is refused when it is made: what is forgotten here would
    be said wrongly of every picture.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: ClassVar[str]
    """One line for lists and pages."""
    may_alter_product: ClassVar[bool]
    """True when a buyer could be shown a different product from the one photographed."""
    marking: ClassVar[Marking]
    """What the result must say of its making, as the AI Act's article 50(2) asks; `none` for standard editing."""
    marked_by_network_only: ClassVar[bool] = False
    """True where `marking` holds only if a registered network worked: other methods make nothing up."""
    value_field: ClassVar[str | None] = None
    """The parameter that `--op NAME:VALUE` gives, such as `scale`."""
    example: ClassVar[str] = ""
    """An `--op` that works on any photograph, where the name alone does not."""
    stage: ClassVar[Stage] = "content"
    """When it is done among the fixes that a marketplace's rules ask for."""
    keeps_size: ClassVar[bool] = True
    """False where the result may have another width or height."""
    keeps_alpha: ClassVar[bool] = True
    """False where what was transparent may be opaque afterwards."""

    op: str

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        """Refuse a class that leaves out what every operation must say of itself.

        Raises:
            TypeError: an attribute is missing, or has another value than is allowed.
        """
        for name, kind in REQUIRED.items():
            value = getattr(cls, name, None)
            try:
                TypeAdapter[object](kind).validate_python(value, strict=True)
            except ValidationError as error:
                allowed = error.errors()[0]["msg"].removeprefix("Input should be ")
                raise TypeError(f"{cls.__name__}.{name}: got {value!r}, allowed: {allowed}") from error

    @classmethod
    def mark(cls, by_network: bool) -> Marking:
        """What a result must say; `by_network` is whether a registered network worked on it."""
        return "none" if cls.marked_by_network_only and not by_network else cls.marking

    @abstractmethod
    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The edited picture.

        Raises:
            InputError: the parameters do not fit this picture.
        """


REQUIRED: dict[str, Any] = {"title": str, "may_alter_product": bool, "marking": Marking}


def read_number(network: Network, name: str) -> int:
    """A whole number from the network's exported facts, such as its `scale`.

    Raises:
        RegistryError: it does not.
    """
    value = network.facts.get(name)
    if not isinstance(value, int):
        raise RegistryError(f"{network.slot} version {network.version} does not say its {name!r}, a whole number")
    return value
