"""How models that are told apart by a field appear in forms and schemas."""

from __future__ import annotations

from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema


class PlainUnion:
    """Shows a union that is told apart by a field as a plain one: Prefect's page makes raw JSON of the first."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Pydantic's schema with `anyOf` for `oneOf`."""
        schema = {**handler(core)}
        schema.pop("discriminator", None)
        return {"anyOf": schema.pop("oneOf"), **schema} if "oneOf" in schema else schema
