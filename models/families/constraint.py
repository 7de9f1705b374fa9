"""What several parameters of a recipe must fulfil together, and which of them a complaint is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

CHANGED = "changed"
"""Key of the validation context: the parameters that this run changes, of which a complaint should speak first."""
VIOLATED = "constraint_violated"
"""The type of the error; its context says the `field`, what was `received` and what is `allowed`."""


@dataclass(frozen=True)
class Constraint:
    """A rule over two or more parameters."""

    holds: Callable[[Any], bool]
    """Of the whole recipe."""
    allowed: Mapping[str, str]
    """By parameter, what it may be while the others stay; `{name}` in it is another's value."""

    def blame(self, recipe: BaseModel, changed: Collection[str]) -> str:
        """The parameter that a person set: for this run, else in the recipe at all, else the rule's first."""
        for named in (changed, recipe.model_fields_set):
            if found := next((name for name in self.allowed if name in named), None):
                return found
        return next(iter(self.allowed))


def check_constraints(recipe: BaseModel, constraints: Iterable[Constraint], changed: Collection[str]) -> None:
    """Refuse a recipe that breaks a rule; the message names the parameter that was set, not the one that minds.

    Raises:
        PydanticCustomError: of the type `VIOLATED`, for the first rule that does not hold.
    """
    for constraint in constraints:
        if not constraint.holds(recipe):
            field = constraint.blame(recipe, changed)
            allowed = constraint.allowed[field].format(**dict(recipe))
            received = getattr(recipe, field)
            if isinstance(received, tuple) and len(received) == 1:  # one pattern alone was given without brackets
                (received,) = received
            context = {"field": field, "received": received, "allowed": allowed}
            raise PydanticCustomError(VIOLATED, "{field}: got {received}, allowed: {allowed}", context)
