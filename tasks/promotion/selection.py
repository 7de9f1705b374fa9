"""From an evaluated version to the gate's verdict and the move it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tasks.lineage.ledger import Ledger
from tasks.promotion.bounds import ServingBounds
from tasks.promotion.gate import GateVerdict, Servability
from tasks.promotion.kinds import slot_kind
from tasks.promotion.moves import Move, make_champion, set_challenger
from tasks.registry.loading import VersionInfo, load_version
from tasks.registry.recording import CHAMPION
from tasks.registry.tracking import open_tracking, service_errors
from tasks.workspace.storage import locked

if TYPE_CHECKING:
    from tasks.evaluation.report import EvaluationReport
    from tasks.workspace.settings import Settings, TrackingPlace


class Judged(NamedTuple):
    """The gate's verdict on a version, and the move that followed."""

    verdict: GateVerdict
    move: Move


def decide(
    settings: Settings,
    version: VersionInfo,
    report: EvaluationReport,
    champion: VersionInfo | None,
    champion_report: EvaluationReport | None,
    bounds: ServingBounds,
    servability: Servability,
    who: str,
) -> Judged:
    """Compare the version with the champion on the same images; the alias moves only if the verdict is positive.

    Raises:
        ChampionMoved: another version became the champion meanwhile; judge again, against that one.
    """
    if champion is not None and champion.version == version.version:
        same = GateVerdict(good_enough=True, servable=True, reasons=[], held=["it is the champion already"])
        again = make_champion(settings, version.slot, version.version, who=who, why=same.text, over=champion.version)
        return Judged(same, again)
    verdict = slot_kind(report.family).judge(settings.home, report, champion_report, bounds, servability)
    tag_servability(settings, version, servability)
    move = make_champion if verdict.passed else set_challenger
    over, why, figures = None if champion is None else champion.version, verdict.text, verdict.figures
    return Judged(verdict, move(settings, version.slot, version.version, who=who, why=why, figures=figures, over=over))


def find_champion(settings: TrackingPlace, slot: str) -> VersionInfo | None:
    """The slot's champion, or None when it never had one.

    Raises:
        RegistryError: the ledger names a champion that the registry has lost.
    """
    if Ledger(settings.home).champion(slot) is None:
        return None
    return load_version(settings, slot, CHAMPION)


def tag_servability(settings: TrackingPlace, version: VersionInfo, servability: Servability) -> None:
    """Tag the version with its serving costs; MLflow refuses a tag that two runs write at once."""
    tracking = open_tracking(settings)
    costs = {"latency_ms": servability.latency_ms, "memory_mb": servability.memory_mb}
    lock = settings.home / "locks" / "servability.lock"
    with locked(lock, seconds=60, doing="writing what a version costs"), service_errors(tracking.uri):
        for name, value in costs.items():
            tracking.client.set_model_version_tag(version.slot, str(version.version), name, f"{value:.4g}")
