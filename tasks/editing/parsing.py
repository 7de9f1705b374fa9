"""Lists of operations read from the command line's text, from files and from forms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from models.errors import InputError
from tasks.operations.contract.discovery import list_operations, load_operation
from tasks.operations.contract.operation import Operation
from tasks.operations.contract.region import Region
from tasks.workspace.forms import PlainUnion
from tasks.workspace.wording import allowed_by, input_error

if TYPE_CHECKING:
    Operations = tuple[Operation, ...]

WORDS = {"boolean": "true, false", "integer": "whole number", "number": "number"}
"""JSON schema's types in plain words."""

NEXT_PARAMETER = re.compile(r",(?=[A-Za-z_][A-Za-z0-9_.]*=)")


def parse_operation(text: str, mask: str | None = None) -> Operation:
    """The operation of one `--op`: `NAME[:VALUE][,key=value...]`, such as `upscale:4,family=espcn`.

    A comma not followed by `key=` belongs to the value before it, as in a file's name. `mask`, boxes and polygons
    are parameters of the operation's region. `mask` is the command's `--mask`: an operation that takes a region and was
    given none of its own gets it.

    Raises:
        InputError: an unknown operation or parameter, or a value out of bounds; the message lists what is known.
    """
    head, *pairs = NEXT_PARAMETER.split(text.strip())
    name, colon, value = head.partition(":")
    operation = load_operation(name.strip())
    given = [_pair(pair) for pair in pairs]
    if colon:
        if operation.value_field is None:
            raise InputError("op", text, f"{name},key=value...: {name} has no main value")
        given.insert(0, (operation.value_field, value))
    for key, _ in given:
        if [name for name, _ in given].count(key) > 1:
            raise InputError(key, text, "one value: it is given more than once")
    values = {key: _read_value(operation, key, raw) for key, raw in _with_region(operation, dict(given)).items()}
    return build_operation(_with_mask(operation, {"op": name.strip(), **values}, mask))


def read_operations(path: Path, mask: str | None = None) -> tuple[Operation, ...]:
    """The operations of a JSON file: a list such as `[{"op": "upscale", "scale": 2}]`; `mask` as for one `--op`.

    Raises:
        InputError: the file cannot be read, is not such a list, or an operation in it is wrong.
    """
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("ops", str(path), f"a file that can be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError("ops", str(path), f"valid JSON: {error}") from error
    if not isinstance(listed, list) or not listed:
        raise InputError("ops", str(path), 'a list of operations, such as [{"op": "upscale", "scale": 2}]')
    return build_operations(listed, mask)


def build_operations(listed: Sequence[object], mask: str | None = None) -> tuple[Operation, ...]:
    """Build operations from their parameters by name, in order.

    Raises:
        InputError: one is not an operation, or has an unknown parameter or a value out of bounds.
    """
    built = []
    for number, values in enumerate(listed, 1):
        if not isinstance(values, dict) or not isinstance(values.get("op"), str):
            raise InputError(f"operation {number}", values, 'parameters by name, such as {"op": "upscale", "scale": 2}')
        operation = load_operation(values["op"])
        built.append(build_operation(_with_mask(operation, _with_region(operation, values), mask)))
    return tuple(built)


def build_operation(values: Mapping[str, Any]) -> Operation:
    """Build the operation that `values["op"]` names from its parameters by name.

    Raises:
        InputError: an unknown operation or parameter, or a value out of bounds.
    """
    operation = load_operation(str(values.get("op")))
    try:
        return operation.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        rows = {row[0]: row for row in describe_parameters(str(values["op"]))}
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            raise InputError("parameter", first["loc"][0], rows) from error
        if first["type"] == "missing" and first["loc"][0] in rows:
            name, allowed, _, description = rows[str(first["loc"][0])]
            raise InputError(name, "nothing", f"{allowed} ({description})") from error
        if first["loc"]:
            raise input_error(error, operation) from error
        together = {name: value for name, value in values.items() if name != "op"}
        raise InputError(str(values["op"]), together, allowed_by(first)) from error


def describe_parameters(name: str) -> list[tuple[str, str, str, str]]:
    """Each parameter of an operation: its name, the allowed values, its default ("" if required) and its description.

    A region is replaced by its own parameters, as `--op` takes them.

    Raises:
        InputError: there is no operation of that name.
    """
    operation, rows = load_operation(name), []
    kinds: list[type[BaseModel]] = [operation, *([Region] if "region" in operation.model_fields else [])]
    for kind in kinds:
        schema = kind.model_json_schema()
        for key, values in schema["properties"].items():
            if key not in ("op", "region"):
                default = "" if key in schema.get("required", ()) else describe_default(values.get("default"))
                rows.append((key, describe_allowed(values), default, values.get("description", "")))
    return rows


def describe_allowed(values: Mapping[str, Any]) -> str:
    """The values a parameter may take, from its part of a JSON schema."""
    if "anyOf" in values:
        return ", ".join(describe_allowed(one) for one in values["anyOf"] if one.get("type") != "null")
    if "enum" in values:
        return ", ".join(map(str, values["enum"]))
    low = next((values[bound] for bound in ("minimum", "exclusiveMinimum") if bound in values), None)
    high = next((values[bound] for bound in ("maximum", "exclusiveMaximum") if bound in values), None)
    kind = WORDS.get(values.get("type", ""), "text")
    return f"{kind}, {low} to {high}" if low is not None and high is not None else kind


def describe_default(default: object) -> str:
    """A default as `--op` would be given it."""
    if default is None or default == []:
        return "none"
    return str(default).lower() if isinstance(default, bool) else str(default)


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value.strip()


def _with_region(operation: type[Operation], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with the region's own parameters, which may stand beside the others, gathered under `region`."""
    if "region" not in operation.model_fields:
        return dict(given)
    own = {
        key: key in operation.model_fields or key.removeprefix("region.") not in Region.model_fields for key in given
    }
    values: dict[str, Any] = {key: value for key, value in given.items() if own[key]}
    inside = {key.removeprefix("region."): value for key, value in given.items() if not own[key]}
    outside = values.get("region", {})
    return values | ({"region": outside | inside} if inside and isinstance(outside, dict) else {})


def _with_mask(operation: type[Operation], values: dict[str, Any], mask: str | None) -> dict[str, Any]:
    region = values.get("region") or {}
    if mask is None or "region" not in operation.model_fields or not isinstance(region, dict):
        return values
    if any(region.get(name) for name in ("mask", "boxes", "polygons")):
        return values
    return {**values, "region": {**region, "mask": mask}}


def _read_value(operation: type[Operation], key: str, raw: object) -> object:
    """A value as its parameter expects it: text where text is expected, else the text parsed as JSON."""
    field = operation.model_fields.get(key)
    if field is None or not isinstance(raw, str):
        return raw
    kind: Any = field.annotation
    try:
        TypeAdapter[object](kind).validate_python(raw)
    except ValidationError:
        with suppress(ValueError):
            return json.loads(raw)
    return raw


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """`Operations`, made when asked for: the list in a form or schema, of every operation's own model."""
        if name != "Operations":
            raise AttributeError(f"module {__name__} has no attribute {name}")
        models = tuple(load_operation(operation) for operation in list_operations())
        return tuple[Annotated[Union[models], Field(discriminator="op"), PlainUnion()], ...]  # noqa: UP007 - of a tuple
