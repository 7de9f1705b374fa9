"""The flow `retrain`: train a slot's family anew on the newest data, on a schedule or by hand."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.train import train
from tasks.outcome import TrainOutcome
from tasks.recipes import load_recipe
from tasks.register import CHAMPION, load_version
from tasks.settings import Settings

PREFIX = "generate-"


@flow(name="retrain", flow_run_name="{slot}")
def retrain(
    slot: Annotated[str, Field(pattern="^generate-[a-z0-9-]+$", description="whose champion is challenged")] = (
        "generate-fashion-mnist"
    ),
    seed: Annotated[int | None, Field(ge=0, le=2**31 - 1, description="of params.yaml when empty")] = None,
) -> TrainOutcome:
    """Train the champion's family with the recipe of `params.yaml` on the working tree's data."""
    settings = Settings()
    family = load_version(settings, slot, CHAMPION).tags["family"]
    recipe = load_recipe(settings.root, family, {} if seed is None else {"seed": seed})
    return train(recipe=recipe, catalogue=slot.removeprefix(PREFIX))
