"""Unions in forms: told apart by a field when they are read, and shown as plain ones."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from tasks.workspace.forms import PlainUnion


class Bag(BaseModel):
    kind: Literal["bag"]
    handles: int


class Shoe(BaseModel):
    kind: Literal["shoe"]
    size: float


PRODUCT = TypeAdapter(Annotated[Bag | Shoe, Field(discriminator="kind"), PlainUnion()])


def test_the_schema_is_that_of_a_plain_union():
    schema = PRODUCT.json_schema()
    assert [one["$ref"] for one in schema["anyOf"]] == ["#/$defs/Bag", "#/$defs/Shoe"]
    assert not {"oneOf", "discriminator"} & set(schema)


def test_values_are_still_told_apart_by_the_field():
    assert PRODUCT.validate_python({"kind": "shoe", "size": 42.5}) == Shoe(kind="shoe", size=42.5)
    with pytest.raises(ValidationError) as refusal:
        PRODUCT.validate_python({"kind": "bag", "size": 42.5})
    assert [error["loc"] for error in refusal.value.errors()] == [("bag", "handles")]  # of the bag alone


def test_what_is_no_union_keeps_its_schema():
    plain = TypeAdapter(Annotated[Bag, PlainUnion()]).json_schema()
    assert plain == TypeAdapter(Bag).json_schema()
