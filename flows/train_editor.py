"""The flow `train-editor`: from a catalogue of photographs to a judged version of an editing slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from flows import steps
from models import FAMILIES, load_family
from models.editors.espcn import ESPCNConfig
from models.families.family import FamilyConfig
from tasks.dataset.prepare import PrepareConfig
from tasks.pipeline.outcome import TrainOutcome
from tasks.promotion.editor_gate import EditorBounds
from tasks.registry.slots import is_editor
from tasks.registry.tracking import check_tracking
from tasks.training.initial import find_initial, name_source
from tasks.workspace.forms import PlainUnion
from tasks.workspace.git import git_commit
from tasks.workspace.parameters import find_source, parse, read_editing
from tasks.workspace.settings import Settings

if TYPE_CHECKING:
    Recipe = FamilyConfig
else:
    CONFIGS = tuple(load_family(name).Config for name in FAMILIES if is_editor(name))
    Recipe = Annotated[Union[CONFIGS], Field(discriminator="family"), PlainUnion()]  # noqa: UP007 - made of a tuple
"""The configs of the families that edit, told apart by `family`."""


@flow(name="train-editor", flow_run_name="{catalogue}-{recipe.family}-seed{recipe.seed}")
def train_editor(
    recipe: Recipe = ESPCNConfig(),  # noqa: B008 - the form's defaults
    catalogue: Annotated[str, Field(description="a folder of data/ with photographs", pattern="^[a-z0-9-]+$")] = (
        "clothing"
    ),
    data_version: Annotated[str | None, Field(description="git revision or md5; the working tree when empty")] = None,
    quarantine: Annotated[bool, Field(description="set failing images aside instead of stopping")] = False,
    max_quarantined: Annotated[float, Field(ge=0, le=1, description="largest share that may be set aside")] = 0.02,
) -> TrainOutcome:
    """Validate, prepare, train, judge on held-out photographs, register, and promote if the gate allows it."""
    check_tracking()
    settings = Settings()
    plan = read_plan(settings, recipe, catalogue)
    recipe = name_source(recipe, find_initial(settings, recipe))  # what cannot be started from is said at once
    tags = {"git_commit": git_commit(settings.root), "prefect_flow_run": steps.flow_run_id()}

    data = steps.ingest(settings, find_source(settings.root, catalogue), data_version)
    validation = steps.validate(settings, data.value, quarantine, max_quarantined)
    prepared = steps.prepare(settings, data.value, validation.value, plan.prepare)
    fitted = steps.fit(settings, prepared.value, recipe, None, tags)
    report = steps.evaluate_editor(settings, fitted.value, prepared.value)
    version = steps.register(settings, fitted.value, report.value, prepared.value, validation.value, tags)
    judged = steps.gate(
        settings,
        version.value,
        fitted.value,
        report.value,
        steps.rival_editor(settings, prepared.value),
        plan.gate,
    )
    steps.leaderboard(settings, version.value.slot)
    return steps.conclude(settings, data, validation, prepared, None, fitted, report, version, judged)


class Plan(BaseModel):
    """The parameters of the steps around the recipe, from `params.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prepare: PrepareConfig
    gate: EditorBounds


def read_plan(settings: Settings, recipe: FamilyConfig, catalogue: str) -> Plan:
    """The plan for one catalogue and what is trained on it.

    Raises:
        InputError: an unknown parameter, or a value out of bounds.
    """
    capability = load_family(recipe.family).capability
    prepare, gate = read_editing(settings.root, catalogue, capability)
    return Plan(prepare=parse(PrepareConfig, prepare), gate=parse(EditorBounds, gate))
