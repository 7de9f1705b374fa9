"""The flow `train`: from a version of a catalogue to a judged version of its slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from prefect import flow
from pydantic import Field

from flows.training import run_training
from models.families.family import FamilyConfig
from models.generators.dcgan import DCGANConfig
from tasks.pipeline.outcome import TrainOutcome
from tasks.pipeline.request import DataVersion, MaxQuarantined, Quarantine, TrainRequest
from tasks.workspace.forms import recipes_of

if TYPE_CHECKING:
    Recipe = FamilyConfig
else:
    Recipe = recipes_of("generates")


@flow(name="train", flow_run_name="{catalogue}-{recipe.family}-seed{recipe.seed}")
def train(
    recipe: Recipe = DCGANConfig(),  # noqa: B008 - the form's defaults
    catalogue: Annotated[
        str, Field(description="a folder of data/, or a view of one", pattern="^[a-z0-9-]+$")
    ] = "fashion-mnist",
    data_version: DataVersion = None,
    quarantine: Quarantine = False,
    max_quarantined: MaxQuarantined = 0.02,
) -> TrainOutcome:
    """Validate, prepare, train, evaluate, register, and promote if the gate allows it."""
    return run_training(
        TrainRequest(
            recipe=recipe,
            catalogue=catalogue,
            data_version=data_version,
            quarantine=quarantine,
            max_quarantined=max_quarantined,
        )
    )
