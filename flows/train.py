"""The flow `train`: from a version of a catalogue to a judged version of its slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from flows import steps
from models import FAMILIES, load_family
from models.families.family import FamilyConfig
from models.generators.dcgan import DCGANConfig
from tasks.dataset.prepare import PrepareConfig
from tasks.evaluation.generators import EvaluateConfig
from tasks.pipeline.outcome import TrainOutcome
from tasks.promotion.bounds import GateBounds
from tasks.registry.slots import is_editor
from tasks.registry.tracking import check_tracking
from tasks.training.initial import find_initial, name_source
from tasks.workspace.forms import PlainUnion
from tasks.workspace.git import git_commit
from tasks.workspace.parameters import find_source, parse, read_params, read_prepare
from tasks.workspace.settings import Settings

if TYPE_CHECKING:
    Recipe = FamilyConfig
else:
    CONFIGS = tuple(load_family(name).Config for name in FAMILIES if not is_editor(name))
    Recipe = Annotated[Union[CONFIGS], Field(discriminator="family"), PlainUnion()]  # noqa: UP007 - made of a tuple
"""The configs of the families that generate, told apart by `family`: Prefect's page makes its form from them."""


@flow(name="train", flow_run_name="{catalogue}-{recipe.family}-seed{recipe.seed}")
def train(
    recipe: Recipe = DCGANConfig(),  # noqa: B008 - the form's defaults
    catalogue: Annotated[
        str, Field(description="a folder of data/, or a view of one", pattern="^[a-z0-9-]+$")
    ] = "fashion-mnist",
    data_version: Annotated[str | None, Field(description="git revision or md5; the working tree when empty")] = None,
    quarantine: Annotated[bool, Field(description="set failing images aside instead of stopping")] = False,
    max_quarantined: Annotated[float, Field(ge=0, le=1, description="largest share that may be set aside")] = 0.02,
) -> TrainOutcome:
    """Validate, prepare, train, evaluate, register, and promote if the gate allows it."""
    check_tracking()
    settings = Settings()
    plan = read_plan(settings, catalogue)
    recipe = name_source(recipe, find_initial(settings, recipe))  # what cannot be started from is said at once
    tags = {"git_commit": git_commit(settings.root), "prefect_flow_run": steps.flow_run_id()}

    data = steps.ingest(settings, find_source(settings.root, catalogue), data_version)
    validation = steps.validate(settings, data.value, quarantine, max_quarantined)
    prepared = steps.prepare(settings, data.value, validation.value, plan.prepare)
    ruler = steps.ruler(settings, prepared.value)
    fitted = steps.fit(settings, prepared.value, recipe, ruler.value, tags)
    report = steps.evaluate(settings, fitted.value, prepared.value, plan.evaluate, ruler.value)
    version = steps.register(settings, fitted.value, report.value, prepared.value, validation.value, tags)
    judged = steps.gate(
        settings,
        version.value,
        fitted.value,
        report.value,
        steps.rival_generator(settings, prepared.value, plan.evaluate, ruler.value),
        plan.gate,
    )
    steps.leaderboard(settings, version.value.slot)
    return steps.conclude(settings, data, validation, prepared, ruler, fitted, report, version, judged)


class Plan(BaseModel):
    """The parameters of the steps around the recipe, from `params.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prepare: PrepareConfig
    evaluate: EvaluateConfig
    gate: GateBounds


def read_plan(settings: Settings, catalogue: str) -> Plan:
    """The plan for one catalogue.

    Raises:
        InputError: an unknown parameter, or a value out of bounds.
    """
    params = read_params(settings.root)
    return Plan(
        prepare=parse(PrepareConfig, read_prepare(settings.root, catalogue)),
        evaluate=parse(EvaluateConfig, params.get("evaluate", {})),
        gate=parse(GateBounds, params.get("gate", {})),
    )
