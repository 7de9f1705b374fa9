"""How discriminated unions appear in forms and schemas."""

from __future__ import annotations

from typing import Annotated, Any, Union

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from models.families.discovery import Kind, find_families, load_family


class PlainUnion:
    """Shows a discriminated union as a plain one, since Prefect's page renders the former as raw JSON."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Pydantic's schema with `anyOf` for `oneOf`."""
        schema = {**handler(core)}
        schema.pop("discriminator", None)
        return {"anyOf": schema.pop("oneOf"), **schema} if "oneOf" in schema else schema


def recipes_of(kind: Kind) -> object:
    """The type of a flow's recipe: the config of any family of this kind, told apart by `family`."""
    configs = tuple(load_family(name).Config for name, found in find_families().items() if found == kind)
    return Annotated[Union[configs], Field(discriminator="family"), PlainUnion()]  # noqa: UP007 - made of a tuple
