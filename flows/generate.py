"""The flow `generate`: images from the champion of a slot, each with its provenance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from prefect import flow, runtime, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from flows.reporting.watch import step_progress
from serving.engine import Served, load
from tasks.generation.publish import Published, publish
from tasks.workspace.settings import Settings


@task(name="load", cache_policy=NO_CACHE)
def load_champion(settings: Settings, slot: str) -> Served:
    """Load the slot's champion into the serving engine."""
    return load(settings, slot)


@task(name="publish", cache_policy=NO_CACHE)
def publish_images(
    settings: Settings, served: Served, count: int, seed: int, category: str | None, folder: Path
) -> Published:
    """Make the images and write them with their provenance."""
    with step_progress("generate") as watch:
        flow_run = str(runtime.flow_run.id or "")
        return publish(settings, served.version, served.generator, count, seed, category, folder, flow_run, watch)


@flow(name="generate", flow_run_name="{slot}-seed{seed}")
def generate(
    slot: Annotated[str, Field(description="whose champion makes the images")] = "generate-fashion-mnist",
    count: Annotated[int, Field(ge=1, le=100_000, description="images")] = 64,
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="the same seed gives the same bytes")] = 0,
    category: Annotated[str | None, Field(description="all in turn when empty")] = None,
    out: Annotated[str, Field(description="folder; packshots/SLOT when empty")] = "",
) -> Published:
    """Load the champion, make the images, write and record them."""
    settings = Settings()
    served = load_champion(settings, slot)
    folder = Path(out) if out else settings.root / "packshots" / slot
    return publish_images(settings, served, count, seed, category, folder)
