"""The words for values that pydantic refuses: the same for every model, and more where the model is known."""

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tasks.workspace.wording import input_error, input_errors


class Side(BaseModel):
    model_config = ConfigDict(extra="forbid")

    maximum: int = Field(default=9, le=100)
    minimum: int = Field(description="pixels at least")

    @model_validator(mode="after")
    def _in_order(self) -> "Side":
        if self.minimum > self.maximum:
            raise ValueError("a minimum of at most the maximum")
        return self


class Rules(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    sides: list[Side] | None = None
    longest: Side | None = None


def refuse(values) -> ValidationError:
    with pytest.raises(ValidationError) as refusal:
        Rules.model_validate(values)
    return refusal.value


@pytest.mark.parametrize(
    ("values", "plain", "known", "in_a_file"),
    [
        (
            {"name": 3},
            "name: got 3, allowed: a valid string",
            "name: got 3, allowed: a valid string",
            "own.yaml.name: got 3, allowed: a valid string",
        ),
        (
            {},
            "name: got 'nothing', allowed: a value; the field is required",
            "name: got 'nothing', allowed: a value; the field is required",
            "own.yaml.name: got 'nothing', allowed: a value; the field is required",
        ),
        (
            {"name": "a", "longest": {}},
            "longest.minimum: got 'nothing', allowed: a value; the field is required",
            "longest.minimum: got 'nothing', allowed: pixels at least",
            "own.yaml.longest.minimum: got 'nothing', allowed: pixels at least",
        ),
        (
            {"name": "a", "colour": "red"},
            "colour: got 'red', allowed: no field of this name",
            "parameter: got 'colour', allowed: one of longest, name, sides",
            "own.yaml.colour: got 'colour', allowed: one of longest, name, sides",
        ),
        (
            {"name": "a", "sides": [{"minimum": 1, "most": 3}]},
            "sides.0.most: got 3, allowed: no field of this name",
            "parameter: got 'sides.0.most', allowed: one of maximum, minimum",
            "own.yaml.sides.0.most: got 'most', allowed: one of maximum, minimum",
        ),
        (
            {"name": "a", "longest": {"minimum": 12}},
            "longest: got {'minimum': 12}, allowed: a minimum of at most the maximum",
            "longest: got {'minimum': 12}, allowed: a minimum of at most the maximum",
            "own.yaml.longest: got {'minimum': 12}, allowed: a minimum of at most the maximum",
        ),
        (
            3,
            "Rules: got 3, allowed: a valid dictionary or instance of Rules",
            "Rules: got 3, allowed: a valid dictionary or instance of Rules",
            "own.yaml: got 3, allowed: a valid dictionary or instance of Rules",
        ),
    ],
)
def test_a_refusal_names_the_field_what_came_and_what_is_allowed(values, plain, known, in_a_file):
    error = refuse(values)
    assert str(input_error(error)) == plain
    assert str(input_error(error, Rules)) == known
    assert str(input_error(error, Rules, "own.yaml")) == in_a_file


def test_each_field_has_its_line():
    found = input_errors(refuse({"longest": {"maximum": 101}}), Rules)
    assert [one.field for one in found] == ["name", "longest.maximum", "longest.minimum"]
