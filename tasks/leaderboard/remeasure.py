"""Re-evaluation of the versions that a leaderboard could not compare, so that all are measured on the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.leaderboard.page import publish_leaderboard
from tasks.leaderboard.ranking import Leaderboard, build_leaderboard
from tasks.promotion.reevaluate import evaluate_registered
from tasks.promotion.registration import log_report
from tasks.registry.recording import CHAMPION
from tasks.registry.tracking import open_tracking, service_errors
from tasks.registry.versions import list_versions

if TYPE_CHECKING:
    from tasks.workspace.progress import Progress
    from tasks.workspace.settings import Settings


def measure_apart(settings: Settings, slot: str, progress: Progress) -> Leaderboard:
    """Evaluate the incomparable versions of `slot` on the champion's data (or the newest version's), and rank again.

    The reports are stored with the versions' runs. What was already measured in the same way is not measured again.

    Raises:
        RegistryError: a version is not a generator, or its file is lost.
        InputError: DVC can no longer produce the data, or a version knows other categories.
    """
    board, versions = build_leaderboard(settings, slot), list_versions(settings, slot)
    if not any(standing.apart for standing in board.standings):
        return board
    first = next((version for version in versions if CHAMPION in version.aliases), versions[0])
    tracking = open_tracking(settings)
    for version in versions:
        report = evaluate_registered(settings, slot, version.version, progress, first.tags.get("data_md5"))
        with service_errors(tracking.uri):
            known = tracking.client.get_metric_history(version.run_id, "frechet_distance")
        log_report(settings, version.run_id, max((metric.step for metric in known), default=0), report)
    return publish_leaderboard(settings, slot)
