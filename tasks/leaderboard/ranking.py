"""The versions of a slot ranked by quality, all measured on the same held-out images."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from models.metrics.criteria import KERNEL, PSNR, TITLES, choose_criterion
from tasks.evaluation.report import EVALUATION, EvaluationReport
from tasks.registry.recording import CHAMPION
from tasks.registry.tracking import Tracking, open_tracking, service_errors
from tasks.registry.versions import VersionSummary, list_versions

if TYPE_CHECKING:
    from tasks.workspace.settings import TrackingPlace

FIGURES = (
    *("precision", "manifold_recall", "density", "coverage"),
    *("accuracy", "recall", "bits_per_dimension", "near_copies"),
    *("ssim", "l1", "baseline_psnr"),
)
COSTS = ("parameters", "megabytes", "latency_ms", "training_seconds")


class Standing(BaseModel):
    """One version: its rank, or why it has none; figures that were not measured are absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int | None = None
    version: int
    family: str
    aliases: tuple[str, ...]
    distance: float | None = None
    samples: int | None = None
    figures: dict[str, float] = {}
    costs: dict[str, float] = {}
    date: str
    run_id: str
    apart: str = ""


class Leaderboard(BaseModel):
    """The comparable versions of `slot`, best first, and separately those that are not comparable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str
    criterion: str
    reference_digest: str
    extractor_digest: str
    reference_images: int
    standings: list[Standing]

    @property
    def title(self) -> str:
        """The title of the ranking column."""
        return TITLES[self.criterion]

    @property
    def protocol(self) -> str:
        """One line on the ranking's protocol."""
        if not self.reference_digest:
            return "no version of this slot was measured yet"
        on = f"{self.reference_images:,} held-out images {self.reference_digest[:8]}"
        if self.criterion == PSNR:
            return f"ranked by {self.title}, higher is better, over {on}, given as {self.extractor_digest[:8]}"
        return f"ranked by {self.title}, lower is better, to {on}, seen by extractor {self.extractor_digest[:8]}"


def build_leaderboard(settings: TrackingPlace, slot: str) -> Leaderboard:
    """Rank the versions of `slot` measured on the same data as the champion (or else as the newest version).

    The Fréchet distance ranks when all of them were evaluated on the same, sufficient number of images; else the
    kernel distance does, whose bias does not depend on the number.

    Raises:
        RegistryError: there is no such slot; the message lists the slots.
    """
    tracking, versions = open_tracking(settings), list_versions(settings, slot)
    reports = {version.version: read_report(tracking, version.run_id) for version in versions}
    first = find_measure(versions, reports)
    if first is None:
        apart = [stand(version, None, KERNEL, "it was never measured") for version in versions]
        return Leaderboard(
            slot=slot, criterion=KERNEL, reference_digest="", extractor_digest="", reference_images=0, standings=apart
        )
    like = {number: report for number, report in reports.items() if report and measured_alike(report, first)}
    criterion = choose_common_criterion(list(like.values()))
    standings = [
        stand(version, reports[version.version], criterion, explain_apart(reports[version.version], first))
        for version in versions
    ]
    return Leaderboard(
        slot=slot,
        criterion=criterion,
        reference_digest=str(first.protocol["reference_digest"]),
        extractor_digest=str(first.protocol["extractor_digest"]),
        reference_images=int(first.protocol["reference_images"]),
        standings=rank(standings, higher_is_better=criterion == PSNR),
    )


def find_measure(
    versions: list[VersionSummary], reports: dict[int, EvaluationReport | None]
) -> EvaluationReport | None:
    """The champion's report, or else that of the newest version that has one."""
    ordered = sorted(versions, key=lambda version: (CHAMPION not in version.aliases, -version.version))
    return next((found for version in ordered if (found := reports[version.version]) is not None), None)


def measured_alike(report: EvaluationReport, other: EvaluationReport) -> bool:
    """True when both were compared with the same images by the same extractor."""
    return all(report.protocol[name] == other.protocol[name] for name in ("reference_digest", "extractor_digest"))


def choose_common_criterion(reports: list[EvaluationReport]) -> str:
    """The criterion by which all of them can be compared."""
    if any(report.criterion == PSNR for report in reports):
        return PSNR
    counts = {report.samples for report in reports}
    references = {int(report.protocol["reference_images"]) for report in reports}
    return choose_criterion(*counts, *references) if len(counts) == 1 else KERNEL


def explain_apart(report: EvaluationReport | None, first: EvaluationReport) -> str:
    """Why a version has no rank, or "" when it has one."""
    if report is None:
        return "its run keeps no report that can be read"
    for name, what in (("reference_digest", "other held-out images"), ("extractor_digest", "another extractor")):
        if report.protocol[name] != first.protocol[name]:
            return f"measured with {what}, {str(report.protocol[name])[:8]}"
    return ""


def stand(version: VersionSummary, report: EvaluationReport | None, criterion: str, apart: str) -> Standing:
    """A version with its figures, not ranked yet."""
    figures = {} if report is None else {name: report.find(name) for name in FIGURES}
    return Standing(
        version=version.version,
        family=version.tags.get("family", ""),
        aliases=version.aliases,
        distance=report.find(criterion) if report else None,
        samples=report.samples if report else None,
        figures={name: value for name, value in figures.items() if value is not None},
        costs={name: float(version.tags[name]) for name in COSTS if name in version.tags},
        date=time.strftime("%Y-%m-%d", time.gmtime(version.created / 1000)),
        run_id=version.run_id,
        apart=apart,
    )


def rank(standings: list[Standing], higher_is_better: bool) -> list[Standing]:
    """The comparable versions first, best first; then the others, newest first."""
    alike = [standing for standing in standings if not standing.apart]
    alike.sort(key=lambda one: (*worth(one.distance, higher_is_better), one.version))
    ranked = [standing.model_copy(update={"rank": place}) for place, standing in enumerate(alike, 1)]
    return ranked + [standing for standing in standings if standing.apart]


def worth(value: float | None, higher_is_better: bool) -> tuple[bool, float]:
    """Sort key: best figure first, not-a-number last."""
    if value is None or math.isnan(value):
        return True, 0.0
    return False, -value if higher_is_better else value


def read_report(tracking: Tracking, run_id: str) -> EvaluationReport | None:
    """The report stored with a run; None when there is none, or its format is unknown."""
    content = read_artifact(tracking, run_id, f"{EVALUATION}/report.json")
    if content is None:
        return None
    try:
        return EvaluationReport.model_validate_json(content)
    except ValidationError:
        return None


def read_artifact(tracking: Tracking, run_id: str, path: str) -> bytes | None:
    """The bytes of a run's artifact, or None when there is none at that path."""
    with service_errors(tracking.uri), tempfile.TemporaryDirectory() as folder:
        if not any(found.path == path for found in tracking.client.list_artifacts(run_id, str(Path(path).parent))):
            return None
        return Path(tracking.client.download_artifacts(run_id, path, folder)).read_bytes()
