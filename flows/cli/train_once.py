"""The flow `train`, run only when data, recipe, parameters or code differ from an earlier run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from flows.processes.prefect_server import PrefectServer
from models.errors import RegistryError
from models.families.discovery import kind_of, module_of
from tasks.dataset.validate import SUITES
from tasks.pipeline.outcome import TrainOutcome
from tasks.pipeline.request import TrainRequest
from tasks.pipeline.steps import ensure_catalogue
from tasks.promotion.shipments import RULERS, SHIPPED
from tasks.registry.server import check_tracking
from tasks.training.initial import find_initial, name_source
from tasks.workspace.code import digest_json
from tasks.workspace.parameters import find_source
from tasks.workspace.progress import NullProgress
from tasks.workspace.records import Record, StepKey, StepRecords
from tasks.workspace.settings import Settings
from tasks.workspace.sources import recall_code
from tasks.workspace.storage import digest_file


def train_or_skip(settings: Settings, request: TrainRequest) -> TrainOutcome:
    """The outcome of the flow, run now or found; the lines of a found outcome say which hashes were equal."""
    check_tracking(settings)
    recipe = name_source(request.recipe, find_initial(settings, request.recipe))
    request = request.model_copy(update={"recipe": recipe})
    records = StepRecords(settings.home)
    if not request.force:
        found = find(settings, records, request)
        if found is not None:
            return found
    server = PrefectServer(settings)
    server.start()
    os.environ["PREFECT_API_URL"] = server.url  # Prefect reads it when it is imported, while the server comes up
    try:
        run = find_flow(recipe.family)
        server.wait()
        started = time.monotonic()
        outcome = run(**request.parameters)
    finally:
        server.stop()
    step = train_step(settings, outcome.data_md5, request)
    result = outcome.model_dump(mode="json", context={"home": settings.home})
    records.save(step, result, [outcome.onnx, outcome.report], time.monotonic() - started)
    return outcome


def find_flow(family: str) -> Callable[..., TrainOutcome]:
    """The flow that trains this family."""
    from flows.retrain import FLOWS

    return FLOWS[kind_of(family)]


def find(settings: Settings, records: StepRecords, request: TrainRequest) -> TrainOutcome | None:
    """The outcome of an equal run whose model is still registered, with all its lines skipped."""
    if not records.any("train"):
        return None
    source = find_source(settings.root, request.catalogue)
    data = ensure_catalogue(settings, source, request.data_version, NullProgress())
    record = records.find(train_step(settings, data.value.md5, request))
    if record is None or not is_registered(settings, record):
        return None
    outcome = TrainOutcome.model_validate(record.result, context={"home": settings.home})
    lines = [line.model_copy(update={"skipped": True, "seconds": 0.0}) for line in outcome.lines[1:]]
    return outcome.model_copy(update={"lines": [data.line, *lines]})


def train_step(settings: Settings, md5: str, request: TrainRequest) -> StepKey:
    """All that the outcome depends on: data, recipe, its start, `params.yaml`, our code, suites and rulers."""
    initial = find_initial(settings, request.recipe)
    code = "flows.training", module_of(request.recipe.family)
    shipped = sorted([*SUITES.glob("*.json"), *SHIPPED.glob(f"{RULERS}*")])
    return StepKey(
        name="train",
        inputs={
            "catalogue": request.catalogue,  # views of one catalogue have its data
            "data": md5,
            "recipe": digest_json([request.recipe.model_dump(), request.quarantine, request.max_quarantined]),
            "params": digest_file(settings.root / "params.yaml"),
            "code": recall_code(settings.home, *code),
            "shipped": digest_json([(path.name, digest_file(path)) for path in shipped]),
        }
        | ({"weights": initial.sha256} if initial else {}),
    )


def is_registered(settings: Settings, record: Record) -> bool:
    """True when the recorded version is still in the registry, with its bytes."""
    from tasks.registry.loading import load_version

    try:
        load_version(settings, record.result["slot"], record.result["version"])
    except RegistryError:
        return False
    return True
