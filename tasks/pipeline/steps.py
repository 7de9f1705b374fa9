"""The steps in their order, each skipped when an equal one was done: the same for flows, `dvc repro` and tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import TrainingError
from tasks.pipeline.outcome import StepResult, StepSummary
from tasks.pipeline.trail import record_data, record_prepared, record_run, record_validation
from tasks.workspace.code import digest_code, digest_json
from tasks.workspace.progress import Progress
from tasks.workspace.records import Record, StepKey, StepRecords
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file, locked

if TYPE_CHECKING:
    from models.families.family import FamilyConfig
    from tasks.catalogue.table import Catalogue
    from tasks.dataset.prepare import PrepareConfig
    from tasks.dataset.prepared import PreparedSet
    from tasks.dataset.validate import ValidationReport
    from tasks.evaluation.report import EvaluationReport
    from tasks.evaluation.ruler import RulerFile
    from tasks.evaluation.yardstick import Yardstick
    from tasks.training.result import FitResult
    from tasks.training.run_log import Show
    from tasks.versions.resolution import CatalogueVersion

Work = Callable[[], tuple[dict[str, Any], list[Path]]]


def ensure_catalogue(
    settings: Settings, name: str, data_version: str | None, progress: Progress
) -> StepResult[CatalogueVersion]:
    """Make the catalogue's bytes readable and compare them with `data.dvc`; checked at every run."""
    from tasks.versions.ingest import IN_PLACE, ingest_catalogue

    started = time.monotonic()
    data = ingest_catalogue(settings, name, data_version, progress)
    record_data(settings.home, data)
    inputs = f"data.dvc and the files of {name} have md5 {data.md5[:8]}"
    what = f"{data.images:,} images, {data.bytes / 2**20:.0f} MiB, md5 {data.md5[:8]}, {data.source}"
    seconds, here = round(time.monotonic() - started, 2), data.source == IN_PLACE
    return StepResult(data, StepSummary(step="ingest", what=what, seconds=seconds, inputs=inputs, skipped=here))


@lru_cache(maxsize=1)
def read(folder: Path, name: str, md5: str) -> Catalogue:
    """The catalogue as one table; validation and preparation of one run share it."""
    from tasks.catalogue.table import read_catalogue

    return read_catalogue(folder, name)


def ensure_validation(
    home: Path, data: CatalogueVersion, quarantine: bool, max_quarantined: float
) -> StepResult[ValidationReport]:
    """Validate the catalogue with Great Expectations; one that failed is validated again each time.

    The report says whether the suite passed; `tasks.dataset.validate.require_valid` stops a run when it did not.
    """
    from tasks.dataset.validate import ValidationReport, suite_path, validate_catalogue

    inputs = {
        "data": data.md5,
        "suite": digest_file(suite_path(data.folder)),
        "quarantine": digest_json([quarantine, max_quarantined]),
        "code": digest_code(validate_catalogue.__module__, "tasks.catalogue.table"),
    }
    step, started = StepKey(name="validate", inputs=inputs), time.monotonic()
    records = StepRecords(home)
    with locked(home / "locks" / "validate.lock", 3600, "judging a catalogue"):  # they share the Data Docs
        found = records.find(step)
        if found is None:
            catalogue = read(data.folder, data.name, data.md5)
            report = validate_catalogue(catalogue, data.md5, home, quarantine, max_quarantined)
            if report.success:
                kept = report.model_dump(mode="json", context={"home": home})
                records.save(step, kept, [], time.monotonic() - started)
        else:
            report = ValidationReport.model_validate(found.result, context={"home": home})
    record_validation(home, data, report)
    what = f"suite {report.suite}: {len(report.checks)} expectations for {report.evaluated:,} rows"
    what += f", {len(report.quarantined)} rows set aside" if report.quarantined else ""
    return StepResult(report, _line(step, what, started, found))


def ensure_prepared(
    home: Path,
    data: CatalogueVersion,
    report: ValidationReport,
    config: PrepareConfig,
    progress: Progress,
) -> StepResult[PreparedSet]:
    """Split by product and write memory-mapped arrays."""
    from tasks.dataset.prepare import prepare_catalogue, prepared_folder
    from tasks.dataset.prepared import META, PreparedSet

    inputs = {
        "data": data.md5,
        "quarantined": digest_json(sorted(report.quarantined)),
        "params": digest_json(config.model_dump()),
        "code": digest_code(prepare_catalogue.__module__),
    }

    def work() -> tuple[dict[str, Any], list[Path]]:
        catalogue = read(data.folder, data.name, data.md5)
        made = prepare_catalogue(catalogue, data.md5, config, report.quarantined, home, progress)
        return {"key": made.key}, [made.folder / META]

    record, line = _run(home, StepKey(name="prepare", inputs=inputs), work)
    prepared = PreparedSet.open(prepared_folder(home, record.result["key"]))
    record_prepared(home, prepared, data, report)
    sizes = ", ".join(f"{len(prepared.images(split)):,} {split}" for split in ("train", "validation", "test"))
    height, width, channels = prepared.shape
    what = f"{sizes} at {height}x{width}x{channels}, {len(prepared.categories)} categories"
    return StepResult(prepared, line("; ".join([what, *prepared.meta.warnings])))


def ensure_training(
    settings: Settings,
    prepared: PreparedSet,
    config: FamilyConfig,
    ruler: RulerFile | None,
    tags: dict[str, str],
    progress: Progress,
    show: Show | None = None,
) -> StepResult[FitResult]:
    """Train, or resume; `tags` go on the MLflow run, and `show` is called with each new grid of samples.

    An editing family needs no `ruler`.
    """
    from tasks.training.fit import fit_step, train_or_resume
    from tasks.training.initial import find_initial, name_source
    from tasks.training.result import FitResult

    initial = find_initial(settings, config)
    recipe = name_source(config, initial)
    step, here = fit_step(prepared, recipe, ruler, initial), {"home": settings.home}

    def work() -> tuple[dict[str, Any], list[Path]]:
        fitted = train_or_resume(
            settings, prepared, recipe, ruler, step.key, tags, progress, show or (lambda *_: None), initial
        )
        return fitted.model_dump(mode="json", context=here), [fitted.onnx, fitted.weights]

    record, line = _run(settings.home, step, work)
    fitted = FitResult.model_validate(record.result, context=here)
    record_run(settings.home, fitted, prepared, tags)
    return StepResult(fitted, line(fitted.text))


def ensure_generator_report(
    home: Path,
    onnx: Path,
    family: str,
    yardstick: Yardstick,
    progress: Progress,
    training: Path | None = None,
) -> StepResult[EvaluationReport]:
    """Evaluate an exported generator on the test split.

    `training` is the folder of its training, which holds more about it; by default the file's own folder.

    Raises:
        TrainingError: the yardstick has no ruler.
    """
    from models.metrics.criteria import TITLES
    from tasks.evaluation.generators import evaluate_generator, evaluate_step
    from tasks.evaluation.report import REPORT, EvaluationReport, evaluation_folder

    prepared, config, ruler = yardstick.prepared, yardstick.config, yardstick.ruler
    if ruler is None:
        raise TrainingError(f"evaluation of {onnx}: generated images can be measured by a ruler only")
    training = training or onnx.parent
    step = evaluate_step(digest_file(onnx), family, prepared, config, ruler, training)

    def work() -> tuple[dict[str, Any], list[Path]]:
        _, folder = evaluate_generator(home, onnx, family, prepared, config, ruler, step.key, progress, training)
        return {}, [folder / REPORT, folder / "features.npy"]

    _, line = _run(home, step, work)
    report = EvaluationReport.read(evaluation_folder(home, step.key) / REPORT)
    distance = f"{TITLES[report.criterion]} {report.distance.value:.4g} (real against real {report.distance.floor:.2g})"
    what = f"{report.samples:,} samples: {distance}, coverage {report.value('coverage'):.2f}"
    return StepResult(report, line(what))


def ensure_editor_report(
    home: Path,
    onnx: Path,
    family: str,
    yardstick: Yardstick,
    progress: Progress,
    training: Path | None = None,
) -> StepResult[EvaluationReport]:
    """Judge an exported editing network on the test split; all that is known of it is in its file."""
    from models.metrics.criteria import PSNR
    from tasks.evaluation.editors import SCORES, evaluate_editor, evaluate_step
    from tasks.evaluation.report import REPORT, EvaluationReport, evaluation_folder

    step = evaluate_step(digest_file(onnx), family, yardstick.prepared)

    def work() -> tuple[dict[str, Any], list[Path]]:
        _, folder = evaluate_editor(home, onnx, family, yardstick.prepared, step.key, progress)
        return {}, [folder / REPORT, folder / SCORES]

    _, line = _run(home, step, work)
    report = EvaluationReport.read(evaluation_folder(home, step.key) / REPORT)
    baseline = f"{report.protocol['baseline']} {report.value('baseline_psnr'):.2f} dB"
    what = f"{report.protocol['measured']} {report.value(PSNR):.2f} dB"
    return StepResult(report, line(f"{report.samples:,} held-out images: {what}, {baseline}"))


def _run(home: Path, step: StepKey, work: Work) -> tuple[Record, Callable[[str], StepSummary]]:
    started = time.monotonic()
    record, skipped = StepRecords(home).run(step, work)
    return record, lambda what: _line(step, what, started, record if skipped else None)


def _line(step: StepKey, what: str, started: float, found: Record | None) -> StepSummary:
    seconds = time.monotonic() - started
    return StepSummary(
        step=step.name, what=what, seconds=round(seconds, 2), inputs=step.summary, skipped=found is not None
    )
