"""Which families there are: each file of `models/generators` and `models/editors` is one, called as its file."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING, Literal

from models.errors import FamilyError, InputError

if TYPE_CHECKING:
    from types import ModuleType

    from models.families.family import Family

Kind = Literal["generates", "edits"]
"""What the networks of a family do: generate images of a catalogue, or edit photographs."""

ROOMS: dict[Kind, str] = {"generates": "models.generators", "edits": "models.editors"}
"""The package that holds the families of each kind, in the order in which lists show them."""


def find_families() -> dict[str, Kind]:
    """Every family by the name that the command line takes, by kind and then by name; none is imported.

    Raises:
        FamilyError: two rooms have a file of the same name.
    """
    found: dict[str, Kind] = {}
    for kind, room in ROOMS.items():
        files = pkgutil.iter_modules(importlib.import_module(room).__path__)
        for name in sorted(file.name for file in files if not file.ispkg):
            if name in found:
                raise FamilyError(f"{room}.{name}: the name is taken by {ROOMS[found[name]]}.{name}")
            found[name] = kind
    return found


def kind_of(family: str) -> Kind:
    """Whether the family called `family` generates or edits, as its room says; it is not imported.

    Raises:
        InputError: no family has that name; the message lists those there are.
    """
    families = find_families()
    if family not in families:
        raise InputError("family", family, families)
    return families[family]


def module_of(family: str) -> str:
    """The module that a family stands in, such as "models.generators.dcgan"; it is not imported.

    Raises:
        InputError: no family has that name.
    """
    return f"{ROOMS[kind_of(family)]}.{family}"


def load_family(family: str) -> type[Family]:
    """The class of the family called `family`, imported now.

    Raises:
        InputError: no family has that name.
        FamilyError: its file does not define exactly one family, or one that does not belong there.
    """
    module = importlib.import_module(module_of(family))
    found = find_class(module)
    check_kind(found, kind_of(family), module.__name__)
    name = found.Config.model_fields["family"].default
    if name != family:
        raise FamilyError(
            f'{module.__name__}: {found.Config.__name__}.family is {name!r}, allowed: Literal["{family}"]'
        )
    return found


def find_class(module: ModuleType) -> type[Family]:
    """The one concrete family that a module defines; abstract ones and those that it imports do not count.

    Raises:
        FamilyError: there is none, or more than one; the message says what an abstract one lacks.
    """
    from models.families.family import Family

    classes = [value for value in vars(module).values() if inspect.isclass(value) and issubclass(value, Family)]
    own = [value for value in classes if value.__module__ == module.__name__]
    concrete = [value for value in own if not inspect.isabstract(value)]
    if len(concrete) == 1:
        return concrete[0]
    named = [f"{value.__name__}{describe_missing(value)}" for value in own]
    raise FamilyError(f"{module.__name__}: got {', '.join(named) or 'no family'}, allowed: one concrete family a file")


def describe_missing(family: type[Family]) -> str:
    """What an abstract family still has to define, in brackets."""
    missing = sorted(getattr(family, "__abstractmethods__", ()))
    return f" (without {', '.join(missing)})" if missing else ""


def check_kind(family: type[Family], kind: Kind, module: str) -> None:
    """Refuse a family that stands in the room of the other kind.

    Raises:
        FamilyError: it edits but stands among the generators, or the other way round.
    """
    from models.families.restoration import RestorationFamily

    own: Kind = "edits" if issubclass(family, RestorationFamily) else "generates"
    if own != kind:
        raise FamilyError(f"{module}: {family.__name__} {own}, allowed: a file of {ROOMS[own]}")
