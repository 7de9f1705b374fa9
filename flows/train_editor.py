"""The flow `train-editor`: from a catalogue of photographs to a judged version of an editing slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from prefect import flow
from pydantic import Field

from flows.training import run_training
from models.editors.espcn import ESPCNConfig
from models.families.family import FamilyConfig
from tasks.pipeline.outcome import TrainOutcome
from tasks.pipeline.request import DataVersion, MaxQuarantined, Quarantine, TrainRequest
from tasks.workspace.forms import recipes_of

if TYPE_CHECKING:
    Recipe = FamilyConfig
else:
    Recipe = recipes_of("edits")


@flow(name="train-editor", flow_run_name="{catalogue}-{recipe.family}-seed{recipe.seed}")
def train_editor(
    recipe: Recipe = ESPCNConfig(),  # noqa: B008 - the form's defaults
    catalogue: Annotated[str, Field(description="a folder of data/ with photographs", pattern="^[a-z0-9-]+$")] = (
        "clothing"
    ),
    data_version: DataVersion = None,
    quarantine: Quarantine = False,
    max_quarantined: MaxQuarantined = 0.02,
) -> TrainOutcome:
    """Validate, prepare, train, evaluate on held-out photographs, register, and promote if the gate allows it."""
    return run_training(
        TrainRequest(
            recipe=recipe,
            catalogue=catalogue,
            data_version=data_version,
            quarantine=quarantine,
            max_quarantined=max_quarantined,
        )
    )
