"""The flow `retrain`: train a slot's family again on the newest data, on a schedule or by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.train import train
from flows.train_editor import train_editor
from models.errors import InputError
from models.families.discovery import kind_of
from tasks.pipeline.outcome import TrainOutcome
from tasks.promotion.kinds import slot_kind
from tasks.registry.loading import load_version
from tasks.registry.recording import CHAMPION
from tasks.workspace.parameters import load_recipe
from tasks.workspace.settings import Settings

FLOWS: dict[str, Callable[..., TrainOutcome]] = {"generates": train, "edits": train_editor}
"""The flow that trains the families of each kind."""


@flow(name="retrain", flow_run_name="{slot}")
def retrain(
    slot: Annotated[str, Field(pattern="^[a-z0-9-]+$", description="whose champion is challenged")] = (
        "generate-fashion-mnist"
    ),
    seed: Annotated[int | None, Field(ge=0, le=2**31 - 1, description="of params.yaml when empty")] = None,
    catalogue: Annotated[str | None, Field(description="a folder of data/; the champion's own when empty")] = None,
) -> TrainOutcome:
    """Train the champion's family with the recipe of `params.yaml` on the working tree's data."""
    settings = Settings()
    champion = load_version(settings, slot, CHAMPION)
    family, data = champion.tags["family"], catalogue or champion.tags.get("catalogue")
    if data is None:
        raise InputError("catalogue", None, f"a folder of data/: the champion of {slot} was not trained here")
    changes: dict[str, object] = {} if seed is None else {"seed": seed}
    recipe = load_recipe(settings.root, family, slot_kind(family).keep(champion) | changes)
    return FLOWS[kind_of(family)](recipe=recipe, catalogue=data)
