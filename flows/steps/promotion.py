"""The steps after a training: register, gate, leaderboard."""

from __future__ import annotations

import getpass
from contextlib import suppress
from pathlib import Path

from flows.reporting.page import show_link, show_picture, show_table, show_verdict
from flows.reporting.watch import step_progress
from flows.steps.declaration import flow_run_id, step
from serving.engine import measure_servability
from tasks.evaluation.report import EVALUATION, PICTURES
from tasks.evaluation.yardstick import Yardstick
from tasks.leaderboard.page import cells, header, publish_leaderboard
from tasks.leaderboard.ranking import Leaderboard
from tasks.pipeline.candidate import Candidate
from tasks.pipeline.outcome import StepResult, StepSummary, timed
from tasks.promotion.bounds import ServingBounds
from tasks.promotion.moves import ChampionMoved
from tasks.promotion.reevaluate import measure_version
from tasks.promotion.registration import register_version
from tasks.promotion.selection import Judged, decide, find_champion
from tasks.registry.loading import VersionInfo
from tasks.workspace.settings import Settings


@step("register", retries=3, retry_delay_seconds=5)
def register(settings: Settings, candidate: Candidate) -> StepResult[VersionInfo]:
    """Make the exported model the next version of its slot."""
    fitted, report = candidate.fitted, candidate.report
    with timed() as seconds:
        version = register_version(settings, candidate)
    link = f"{settings.mlflow_url}/#/models/{version.slot}/versions/{version.version}"
    show_link(link, "mlflow-version", f"{version.slot} version {version.version}")
    for name, text in PICTURES.items():
        if name not in report.left_out:
            path = Path(name)
            show_picture(settings, fitted.run_id, path, EVALUATION, path.stem, text)
    what = f"{version.slot} version {version.version}, ONNX equal to torch within {fitted.export_difference:.1g}"
    return StepResult(
        version, StepSummary(step="register", what=what, seconds=seconds(), inputs=f"model {fitted.onnx_sha256[:8]}")
    )


@step("gate", retries=3, retry_delay_seconds=5)
def gate(
    settings: Settings, version: VersionInfo, candidate: Candidate, yardstick: Yardstick, bounds: ServingBounds
) -> StepResult[Judged]:
    """Judge whether the version is good enough and servable, and make the move that follows."""
    fitted, report = candidate.fitted, candidate.report
    who = f"flow run {flow_run_id()}" if flow_run_id() else getpass.getuser()
    with step_progress("gate") as watch, timed() as seconds:
        servability, judged = measure_servability(version.onnx_path, fitted.export_difference), None
        while judged is None:
            champion, rival = find_champion(settings, version.slot), None
            if champion is not None and champion.version != version.version:
                rival = measure_version(settings.home, champion, yardstick, watch)
            with suppress(ChampionMoved):  # then judge again, against the new champion
                judged = decide(settings, version, report, champion, rival, bounds, servability, who)
    show_verdict(judged)
    verdict = judged.verdict
    said = f"promoted: all {len(verdict.held)} bounds hold; {verdict.held[0]}"
    if not verdict.passed:
        said = f"stays challenger: {verdict.text}"
    inputs = f"model {fitted.onnx_sha256[:8]}, report {report.key[:8]}"
    return StepResult(judged, StepSummary(step="gate", what=said, seconds=seconds(), inputs=inputs))


@step("leaderboard", retries=3, retry_delay_seconds=5)
def leaderboard(settings: Settings, slot: str) -> StepResult[Leaderboard]:
    """Rank the slot's versions, on its page in MLflow and on the run's."""
    with timed() as seconds:
        board = publish_leaderboard(settings, slot)
    titles = header(board)
    rows = [dict(zip(titles, cells(board, standing), strict=True)) for standing in board.standings]
    show_table(rows, f"leaderboard-{slot}", f"{slot}: {board.protocol}")
    best = next((one for one in board.standings if one.rank == 1), None)
    what = f"{len(board.standings)} versions" + (f", best version {best.version}, {best.family}" if best else "")
    return StepResult(board, StepSummary(step="leaderboard", what=what, seconds=seconds()))
