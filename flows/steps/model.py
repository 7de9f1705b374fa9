"""The steps as Prefect tasks: Prefect adds retries, states, progress and artifacts to `tasks.pipeline.steps`."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect import Task, runtime, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import FlowRunContext
from prefect.states import Completed

from flows.reporting.watch import show_picture, watching
from models.errors import ServiceError
from models.families.family import FamilyConfig
from serving.engine import measure_servability
from tasks.dataset.prepare import PrepareConfig
from tasks.dataset.prepared import PreparedSet
from tasks.dataset.validate import ValidationReport, require_valid
from tasks.evaluation.generators import EvaluateConfig, evaluation_folder
from tasks.evaluation.report import EVALUATION, PICTURES, EvaluationReport
from tasks.evaluation.ruler import RulerFile, ensure_ruler, register_ruler
from tasks.leaderboard.page import cells, header, publish_leaderboard
from tasks.leaderboard.ranking import Leaderboard
from tasks.pipeline import steps as pipeline
from tasks.pipeline.outcome import Done, Line, TrainOutcome, timed
from tasks.pipeline.reevaluate import training_folder
from tasks.promotion.bounds import GateBounds
from tasks.promotion.editor_gate import EditorBounds
from tasks.promotion.moves import ChampionMoved
from tasks.promotion.selection import Judged, find_champion, register_version
from tasks.promotion.selection import gate as judge
from tasks.registry.register import VersionInfo
from tasks.training.fit import FitResult
from tasks.training.run_log import SAMPLES
from tasks.versions.resolution import CatalogueVersion
from tasks.workspace.progress import Progress
from tasks.workspace.settings import Settings

Given = ParamSpec("Given")
Value = TypeVar("Value")
EvaluateRival = Callable[[VersionInfo, Progress], EvaluationReport]
"""Judges the champion on the images that its challenger was judged on."""


def passes(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """True for a failure that may be over in a moment: a server that restarts."""
    return isinstance(state.result(raise_on_failure=False), ServiceError)


def step(
    name: str, retries: int = 0, retry_delay_seconds: int | list[float] = 0
) -> Callable[[Callable[Given, Done[Value]]], Callable[Given, Done[Value]]]:
    """Declare a function to Prefect as the task `name`; a lost server is tried again, nothing else is.

    When nothing had to be done the task's state is called Skipped and says why.
    """

    def declare(function: Callable[Given, Done[Value]]) -> Callable[Given, Done[Value]]:
        @task(
            name=name,
            cache_policy=NO_CACHE,
            retries=retries,
            retry_delay_seconds=retry_delay_seconds,
            retry_condition_fn=passes,
        )
        @wraps(function)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> State[Done[Value]]:
            done = function(*args, **kwargs)
            state_name = "Skipped" if done.line.skipped else "Completed"
            return Completed(data=done, name=state_name, message=done.line.text)

        @wraps(function)
        def call(*args: Given.args, **kwargs: Given.kwargs) -> Done[Value]:
            return run(*args, **kwargs).result()

        return call

    return declare


@step("ingest", retries=2, retry_delay_seconds=5)
def ingest(settings: Settings, catalogue: str, data_version: str | None) -> Done[CatalogueVersion]:
    """Bring the catalogue's bytes in place and hold them against `data.dvc`."""
    with watching("ingest") as watch:
        return pipeline.ingest(settings, catalogue, data_version, watch)


@step("validate")
def validate(
    settings: Settings, data: CatalogueVersion, quarantine: bool, max_quarantined: float
) -> Done[ValidationReport]:
    """Judge the catalogue; a failed suite stops the run before anything is trained."""
    done = pipeline.validate(settings, data, quarantine, max_quarantined)
    if FlowRunContext.get() is not None:
        show_validation(done.value)
    require_valid(done.value)
    return done


def show_validation(report: ValidationReport) -> None:
    """The expectations, and the rows that failed them, as tables on the run's page."""
    checks = [check.model_dump() for check in report.checks]
    create_table_artifact(checks, key="validation", description=f"Suite {report.suite}; Data Docs: {report.data_docs}")
    if report.failures:
        failures = [failure.model_dump() for failure in report.failures[:500]]
        create_table_artifact(failures, key="failing-images", description=f"Contact sheet: {report.contact_sheet}")


@step("prepare")
def prepare(
    settings: Settings, data: CatalogueVersion, report: ValidationReport, config: PrepareConfig
) -> Done[PreparedSet]:
    """Split by product and write memory-mapped arrays."""
    with watching("prepare") as watch:
        return pipeline.prepare(settings, data, report, config, watch)


@step("ruler", retries=2, retry_delay_seconds=5)
def ruler(settings: Settings, prepared: PreparedSet) -> Done[RulerFile]:
    """Find or train the classifier that measures this catalogue, and see that MLflow has it."""
    with watching("ruler") as watch, timed() as seconds:
        found = ensure_ruler(settings, prepared.catalogue, prepared, watch)
        version = register_ruler(settings, prepared.catalogue, found)
    what = f"version {version}, {found.source}, accuracy {found.accuracy:.4f}, sha256 {found.digest[:8]}"
    return Done(found, Line(step="ruler", what=what, seconds=seconds(), inputs=f"weights {found.digest[:8]}"))


@step("fit", retries=3, retry_delay_seconds=[5, 20, 60])
def fit(
    settings: Settings, prepared: PreparedSet, recipe: FamilyConfig, measuring: RulerFile | None, tags: dict[str, str]
) -> Done[FitResult]:
    """Train, or go on with a training that was stopped."""
    with watching("fit") as watch:
        done = pipeline.fit(settings, prepared, recipe, measuring, tags, watch, partial(show_samples, settings))
    if FlowRunContext.get() is not None:
        link = f"{settings.mlflow_url}/#/runs/{done.value.run_id}"
        create_link_artifact(link, link_text=f"MLflow run {done.value.run_id}", key="mlflow-run")
    return done


def show_samples(settings: Settings, run_id: str, path: Path) -> None:
    """One frame of the training's film strip, on the run's page as soon as it is made."""
    show_picture(settings, run_id, path, SAMPLES, path.stem, f"Samples at update {int(path.stem[8:]):,}")


@step("evaluate")
def evaluate(
    settings: Settings, fitted: FitResult, prepared: PreparedSet, config: EvaluateConfig, measuring: RulerFile
) -> Done[EvaluationReport]:
    """Judge the exported generator on the test split."""
    with watching("evaluate") as watch:
        done = pipeline.evaluate(settings, fitted.onnx, fitted.family, prepared, config, measuring, watch)
    show_figures(done.value)
    return done


@step("evaluate")
def evaluate_editor(settings: Settings, fitted: FitResult, prepared: PreparedSet) -> Done[EvaluationReport]:
    """Judge the exported editing network on the test split."""
    with watching("evaluate") as watch:
        done = pipeline.evaluate_editor(settings, fitted.onnx, fitted.family, prepared, watch)
    show_figures(done.value)
    return done


def show_figures(report: EvaluationReport) -> None:
    """The figures as a table on the run's page."""
    if FlowRunContext.get() is not None:
        rows = [figure.model_dump() for figure in report.figures]
        protocol = ", ".join(f"{name} {value}" for name, value in report.protocol.items())
        create_table_artifact(rows, key="figures", description=f"Protocol: {protocol}")


@step("register", retries=3, retry_delay_seconds=5)
def register(
    settings: Settings,
    fitted: FitResult,
    report: EvaluationReport,
    prepared: PreparedSet,
    validation: ValidationReport,
    tags: dict[str, str],
) -> Done[VersionInfo]:
    """Make the exported model the next version of its slot."""
    with timed() as seconds:
        version = register_version(settings, fitted, report, prepared, validation, tags)
    if FlowRunContext.get() is not None:
        link = f"{settings.mlflow_url}/#/models/{version.slot}/versions/{version.version}"
        create_link_artifact(link, link_text=f"{version.slot} version {version.version}", key="mlflow-version")
        for name, text in PICTURES.items():
            if name not in report.left_out:
                path = Path(name)
                show_picture(settings, fitted.run_id, path, EVALUATION, path.stem, text)
    what = f"{version.slot} version {version.version}, ONNX equal to torch within {fitted.export_difference:.1g}"
    return Done(version, Line(step="register", what=what, seconds=seconds(), inputs=f"model {fitted.onnx_sha256[:8]}"))


def rival_generator(
    settings: Settings, prepared: PreparedSet, config: EvaluateConfig, measuring: RulerFile
) -> EvaluateRival:
    """How the gate has a champion that generates judged on the same images."""
    return lambda champion, watch: (
        pipeline.evaluate(
            settings,
            champion.onnx_path,
            champion.tags["family"],
            prepared,
            config,
            measuring,
            watch,
            training_folder(settings, champion),
        ).value
    )


def rival_editor(settings: Settings, prepared: PreparedSet) -> EvaluateRival:
    """How the gate has a champion that edits judged on the same images."""
    return lambda champion, watch: (
        pipeline.evaluate_editor(settings, champion.onnx_path, champion.tags["family"], prepared, watch).value
    )


@step("gate", retries=3, retry_delay_seconds=5)
def gate(
    settings: Settings,
    version: VersionInfo,
    fitted: FitResult,
    report: EvaluationReport,
    evaluate_rival: EvaluateRival,
    bounds: GateBounds | EditorBounds,
) -> Done[Judged]:
    """Two blessings, good enough and servable, and the move that they allow."""
    who = f"flow run {flow_run_id()}" if flow_run_id() else getpass.getuser()
    with watching("gate") as watch, timed() as seconds:
        servability, judged = measure_servability(version.onnx_path, fitted.export_difference), None
        while judged is None:
            champion, rival = find_champion(settings, version.slot), None
            if champion is not None and champion.version != version.version:
                rival = evaluate_rival(champion, watch)
            with suppress(ChampionMoved):  # then once more, against the one that took its place
                judged = judge(settings, version, report, champion, rival, bounds, servability, who)
    if FlowRunContext.get() is not None:
        create_markdown_artifact(explain(judged), key="gate", description=judged.move.text)
    verdict = judged.verdict
    said = f"promoted: all {len(verdict.held)} bounds hold; {verdict.held[0]}"
    if not verdict.passed:
        said = f"stays challenger: {verdict.text}"
    inputs = f"model {fitted.onnx_sha256[:8]}, report {report.key[:8]}"
    return Done(judged, Line(step="gate", what=said, seconds=seconds(), inputs=inputs))


@step("leaderboard", retries=3, retry_delay_seconds=5)
def leaderboard(settings: Settings, slot: str) -> Done[Leaderboard]:
    """Rank the slot's versions, on its page in MLflow and on the run's."""
    with timed() as seconds:
        board = publish_leaderboard(settings, slot)
    if FlowRunContext.get() is not None:
        titles = header(board)
        rows = [dict(zip(titles, cells(board, standing), strict=True)) for standing in board.standings]
        create_table_artifact(rows, key=f"leaderboard-{slot}", description=f"{slot}: {board.protocol}")
    best = next((one for one in board.standings if one.rank == 1), None)
    what = f"{len(board.standings)} versions" + (f", best version {best.version}, {best.family}" if best else "")
    return Done(board, Line(step="leaderboard", what=what, seconds=seconds()))


def flow_run_id() -> str:
    """The id of the flow run that this is part of, "" outside of one."""
    return str(runtime.flow_run.id or "")


def conclude(
    settings: Settings,
    data: Done[CatalogueVersion],
    validation: Done[ValidationReport],
    prepared: Done[PreparedSet],
    measuring: Done[RulerFile] | None,
    fitted: Done[FitResult],
    report: Done[EvaluationReport],
    version: Done[VersionInfo],
    judged: Done[Judged],
) -> TrainOutcome:
    """What a training's flow hands back: where its results are, and the line of each step."""
    done: list[Done[Any] | None] = [data, validation, prepared, measuring, fitted, report, version, judged]
    return TrainOutcome(
        slot=version.value.slot,
        version=version.value.version,
        promoted=judged.value.verdict.passed,
        verdict=judged.value.verdict.text,
        run_id=fitted.value.run_id,
        flow_run=flow_run_id(),
        data_md5=data.value.md5,
        data_docs=validation.value.data_docs,
        onnx=fitted.value.onnx,
        report=evaluation_folder(settings, report.value.key) / "report.json",
        lines=[one.line for one in done if one is not None],
    )


def explain(judged: Judged) -> str:
    """The verdict as Markdown: what was broken, what held, what was done."""
    broken = [f"- **broken**: {reason}" for reason in judged.verdict.reasons]
    held = [f"- held: {reason}" for reason in judged.verdict.held]
    return "\n".join([f"**{judged.move.text}**", "", *broken, *held])
