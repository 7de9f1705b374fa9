"""What a person is told of values that pydantic refuses: one line a field, in the same words everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from models.errors import InputError
from models.families.constraint import VIOLATED

REQUIRED = "a value; the field is required"
UNKNOWN = "no field of this name"


def input_errors(error: ValidationError, model: type[BaseModel] | None = None, where: str = "") -> list[InputError]:
    """One for each field: its dotted name, what was received and what is allowed.

    Args:
        error: pydantic's refusal.
        model: what the values were for, which knows its fields' names and descriptions.
        where: what the fields are of, such as a file's name; it stands before theirs.
    """
    return [_input_error(problem, model, where, error.title) for problem in error.errors()]


def input_error(error: ValidationError, model: type[BaseModel] | None = None, where: str = "") -> InputError:
    """The first of them."""
    return input_errors(error, model, where)[0]


def allowed_by(problem: Mapping[str, Any]) -> str:
    """What one of pydantic's complaints says that a value must be."""
    return str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")


def _input_error(problem: Mapping[str, Any], model: type[BaseModel] | None, where: str, title: str) -> InputError:
    place: tuple[int | str, ...] = problem["loc"]
    name = ".".join(str(part) for part in place)
    field = ".".join(filter(None, (where, name))) or title
    owner = model and _model_at(model, place[:-1])
    if problem["type"] == "extra_forbidden":
        if owner is None:
            return InputError(field, problem["input"], UNKNOWN)
        names = sorted(owner.model_fields)
        return InputError(field, place[-1], names) if where else InputError("parameter", name, names)
    if problem["type"] == VIOLATED:
        broken = problem["ctx"]
        return InputError(".".join(filter(None, (where, broken["field"]))), broken["received"], broken["allowed"])
    if problem["type"] == "missing":
        wanted = owner.model_fields.get(str(place[-1])) if owner else None
        return InputError(field, "nothing", (wanted and wanted.description) or REQUIRED)
    return InputError(field, problem["input"], allowed_by(problem))


def _model_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    """The model of the values at `place` inside those of `model`, such as ("rules", "longest_side")."""
    for part in place:
        field = model.model_fields.get(str(part))  # none for a place in a list, or an alternative of a union
        model = (field and _first_model(field.annotation)) or model
    return model


def _first_model(annotation: object) -> type[BaseModel] | None:
    """The first model in an annotation, such as that of `tuple[Span, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_first_model, get_args(annotation))), None)
