"""One training from a version of a catalogue to a judged version of its slot: the body of both flows that train."""

from __future__ import annotations

from flows import steps
from tasks.evaluation.yardstick import Yardstick
from tasks.pipeline.candidate import Candidate
from tasks.pipeline.outcome import TrainOutcome
from tasks.pipeline.request import TrainRequest
from tasks.promotion.kinds import slot_kind
from tasks.promotion.plan import read_plan
from tasks.registry.server import check_tracking
from tasks.training.initial import find_initial, name_source
from tasks.workspace.git import git_commit
from tasks.workspace.parameters import find_source
from tasks.workspace.settings import Settings


def run_training(request: TrainRequest) -> TrainOutcome:
    """Validate, prepare, train, evaluate, register, and promote if the gate allows it."""
    settings = Settings()
    check_tracking(settings)
    kind = slot_kind(request.recipe.family)
    plan = read_plan(settings.root, request.catalogue, request.recipe.family)
    recipe = name_source(request.recipe, find_initial(settings, request.recipe))  # a wrong one is refused at once
    tags = {"git_commit": git_commit(settings.root), "prefect_flow_run": steps.flow_run_id()}

    data = steps.ingest(settings, find_source(settings.root, request.catalogue), request.data_version)
    validation = steps.validate(settings, data.value, request.quarantine, request.max_quarantined)
    prepared = steps.prepare(settings, data.value, validation.value, plan.prepare)
    ruler = steps.ruler(settings, prepared.value) if kind.has_ruler else None
    yardstick = Yardstick(prepared.value, plan.evaluate, ruler.value if ruler else None)
    fitted = steps.fit(settings, prepared.value, recipe, yardstick.ruler, tags)
    report = steps.evaluate(settings, fitted.value, yardstick)
    candidate = Candidate(fitted.value, report.value, prepared.value, validation.value, tags)
    version = steps.register(settings, candidate)
    judged = steps.gate(settings, version.value, candidate, yardstick, plan.gate)
    steps.leaderboard(settings, version.value.slot)
    return steps.conclude(settings, data, validation, prepared, ruler, fitted, report, version, judged)
