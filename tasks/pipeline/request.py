"""A training as it is asked for."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, field_validator

from models.families.family import FamilyConfig
from tasks.versions.resolution import check_name

DataVersion = Annotated[str | None, Field(description="git revision or md5; the working tree when empty")]
Quarantine = Annotated[bool, Field(description="set failing images aside instead of stopping")]
MaxQuarantined = Annotated[float, Field(ge=0, le=1, description="largest share that may be set aside")]


class TrainRequest(BaseModel):
    """What is trained, on what, and how strictly the catalogue is judged first; made at the edge, handed on whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: SerializeAsAny[FamilyConfig]
    catalogue: str = Field(description="a folder of data/, or a view of one")
    data_version: DataVersion = None
    quarantine: Quarantine = False
    max_quarantined: MaxQuarantined = 0.02
    force: bool = Field(default=False, description="run the flow even when nothing changed")

    @field_validator("catalogue")
    @classmethod
    def _can_be_a_folder(cls, catalogue: str) -> str:
        check_name(catalogue)
        return catalogue

    @property
    def parameters(self) -> dict[str, Any]:
        """What the flow that trains it takes, by name."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "force"}
