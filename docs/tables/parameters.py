"""Tables of parameters: of families' configs, of flows' forms and of operations."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_type_hints

import yaml
from prefect import Flow
from pydantic import BaseModel, TypeAdapter

from docs.tables.cells import ROOT, Words, code, table
from docs.tables.families import families
from models.families.family import FamilyConfig
from tasks.editing.parsing import describe_allowed, describe_default, describe_parameters
from tasks.operations.contract.discovery import list_operations


class Parameter(NamedTuple):
    """One parameter as a table shows it."""

    name: str
    allowed: str
    default: str
    what: str


def write_parameters(subject: str, words: Words) -> str:
    """The parameters of `the flow NAME`, of a family, or of a class that families' configs share."""
    if subject.startswith("the flow "):
        return write_rows(read_flow(subject.removeprefix("the flow ")), words)
    if subject in families():
        return write_family(subject, words)
    bases = (base for kind in families().values() for base in kind.Config.__mro__)
    shared = {base.__name__: base for base in bases if issubclass(base, FamilyConfig)}
    return write_rows(own_parameters(shared[subject]), words)


def write_family(family: str, words: Words) -> str:
    """A family's own parameters, and those that its recipe in params.yaml sets."""
    recipe = dict(flatten(yaml.safe_load((ROOT / "params.yaml").read_text())["families"].get(family, {})))
    recipe.pop("family", None)
    config = families()[family].Config
    own = own_parameters(config)
    set_too = [one for one in read_model(config) if one not in own and recipe.get(one.name, one.default) != one.default]
    rows = [(code(p.name), p.allowed, code(p.default), code(recipe.get(p.name, "")), p.what) for p in own + set_too]
    return table(words.header("parameter", "allowed", "default", "in `params.yaml`", "what"), rows)


def write_operations(words: Words) -> str:
    """A table for each operation."""
    tables = [
        (name, write_rows((Parameter(*row) for row in describe_parameters(name)), words)) for name in list_operations()
    ]
    return "\n\n".join(f"### {name}\n\n{rows}" for name, rows in tables)


def write_rows(parameters: Iterable[Parameter], words: Words) -> str:
    """A table of parameters."""
    rows = [(code(p.name), p.allowed, code(p.default), p.what) for p in parameters]
    return table(words.header("parameter", "allowed", "default", "what"), rows)


def own_parameters(config: type[BaseModel]) -> list[Parameter]:
    """The parameters of a config that its base does not have, or has with another default; not the family's name."""
    base = config.__mro__[1]
    inherited = read_model(base) if issubclass(base, BaseModel) and base is not BaseModel else []
    return [one for one in read_model(config) if one not in inherited and one.name != "family"]


def read_model(config: type[BaseModel]) -> list[Parameter]:
    """All parameters of a config; those of a model in it as `outer.inner`."""
    schema = config.model_json_schema()
    return list(read_properties(schema, "", schema.get("$defs", {})))


def read_properties(schema: Mapping[str, Any], inside: str, models: Mapping[str, Any]) -> Iterator[Parameter]:
    """The parameters of a JSON schema, whose nested models are in `models`."""
    for name, values in schema["properties"].items():
        if "$ref" in values:
            yield from read_properties(models[values["$ref"].rpartition("/")[2]], f"{inside}{name}.", models)
        else:
            yield read_one(inside + name, values, name in schema.get("required", ()))


def read_one(name: str, values: Mapping[str, Any], required: bool) -> Parameter:
    """A parameter of its part of a JSON schema."""
    default = "" if required else describe_default(values.get("default"))
    return Parameter(name, describe_allowed(values), default, values.get("description", ""))


def read_flow(name: str) -> Iterator[Parameter]:
    """The parameters of a deployment's flow; one that is a model or a list of them is a form of its own."""
    function = load_flow(name).fn
    hints = get_type_hints(function, include_extras=True)
    for one, given in inspect.signature(function).parameters.items():
        schema = TypeAdapter(hints[one]).json_schema()
        required = given.default is given.empty
        if "$defs" in schema:
            yield Parameter(one, "a form of its own", "", schema.get("description", ""))
        else:
            yield read_one(one, {**schema, "default": given.default}, required)


def load_flow(name: str) -> Flow[..., Any]:
    """The flow of a deployment in prefect.yaml."""
    entries = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    file, _, function = next(entry["entrypoint"] for entry in entries if entry["name"] == name).partition(":")
    flow: Flow[..., Any] = getattr(importlib.import_module(file.removesuffix(".py").replace("/", ".")), function)
    return flow


def flatten(values: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, str]]:
    """Values as `--set` would be given them, by their dotted names."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{inside}{name}.")
        else:
            yield inside + name, str(value).lower() if isinstance(value, bool) else str(value)
