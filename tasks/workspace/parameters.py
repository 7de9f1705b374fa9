"""The parameters of a run: from `params.yaml`, overridden by `--set name=value`, checked by the family's config."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from models.errors import InputError
from models.families.constraint import CHANGED
from models.families.discovery import load_family
from tasks.workspace.wording import input_error

if TYPE_CHECKING:
    from models.families.family import FamilyConfig

Model = TypeVar("Model", bound=BaseModel)


def read_params(root: Path) -> dict[str, Any]:
    """The whole of `params.yaml`.

    Raises:
        InputError: the file is missing or is not YAML.
    """
    path = root / "params.yaml"
    try:
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("params.yaml", str(path), "a file that can be read") from error
    except yaml.YAMLError as error:
        raise InputError("params.yaml", " ".join(str(error).split()), "valid YAML") from error
    if not isinstance(params, dict):
        raise InputError("params.yaml", type(params).__name__, "sections by name")
    return params


def read_section(root: Path, section: str, catalogue: str) -> dict[str, Any]:
    """The parameters of `section` for one catalogue: its own entry, else `default`, else none."""
    entries = read_mapping(root, section)
    name = catalogue if catalogue in entries else "default"
    return _mapping(f"{section}.{name}", entries.get(name))


def read_mapping(root: Path, *names: str) -> dict[str, Any]:
    """The parameters at `names`, one inside the other; none where the file does not go so deep."""
    values = read_params(root)
    for depth, name in enumerate(names, 1):
        values = _mapping(".".join(names[:depth]), values.get(name))
    return values


def read_prepare(root: Path, catalogue: str, capability: str = "generate") -> dict[str, Any]:
    """The parameters of `prepare` for a catalogue, or for a view of one, that networks of a capability learn from.

    A view is an entry that names the catalogue it is a view `of`: it has that one's parameters with its own on top
    (such as the `categories` that it shows), and its own name and slot. Those of `editing.CAPABILITY` come on top of
    all: they cut photographs for it.
    """
    own = read_section(root, "prepare", catalogue)
    if "of" in own:
        own = read_section(root, "prepare", str(own["of"])) | own | {"name": catalogue}
    return own | read_mapping(root, "editing", capability)


def find_source(root: Path, catalogue: str) -> str:
    """The folder of `data/` with a catalogue's images: its own, or that of the catalogue it is a view of."""
    return str(read_section(root, "prepare", catalogue).get("of", catalogue))


def _mapping(field: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError(field, value, "parameters by name")
    return value


def load_recipe(root: Path, family: str, changes: dict[str, Any]) -> FamilyConfig:
    """The family's block of `params.yaml` with `changes` on top.

    Raises:
        InputError: an unknown family or parameter, or a value out of bounds.
    """
    return build_recipe({"family": family} | read_mapping(root, "families", family), changes)


def build_recipe(values: dict[str, Any], changes: dict[str, Any]) -> FamilyConfig:
    """A family's config from `values`, with `changes` (dotted names reach inside, as `augment.flip`) on top."""
    merged: dict[str, Any] = {**values}
    for name, value in changes.items():
        place = merged
        *outer, last = name.split(".")
        for part in outer:
            place[part] = {**_mapping(part, place.get(part))}
            place = place[part]
        place[last] = value
    config = load_family(str(merged.get("family"))).Config
    return parse(config, merged, {name.partition(".")[0] for name in changes})


def parse(model: type[Model], values: dict[str, Any], changed: Collection[str] = ()) -> Model:
    """`values` as a validated `model`; the error for an unknown name lists the known ones.

    Where parameters do not go together the message is about one of the `changed`, if it can.
    """
    try:
        return model.model_validate(values, context={CHANGED: changed})
    except ValidationError as error:
        raise input_error(error, model) from error


def parse_changes(lines: list[str]) -> dict[str, Any]:
    """`name=value` pairs of the command line; values are YAML, so 3, 0.1, true and words mean what they say.

    Raises:
        InputError: a line without `=`, with an empty name, or with a value that is not YAML.
    """
    changes = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or not name:
            raise InputError("--set", line, "name=value, such as batch_size=128")
        try:
            changes[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"--set {name}", value, "a value that is valid YAML") from error
    return changes
