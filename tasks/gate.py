"""The two blessings a challenger needs before it may be champion: good enough, and servable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from models.errors import InputError
from tasks.bootstrap import Interval


class GateBounds(BaseModel):
    """What a challenger must hold; every bound is inclusive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_distance_of_untrained: float = Field(
        default=0.5, gt=0, le=1, description="Fréchet distance, at most this part of the untrained network's"
    )
    max_distance: float | None = Field(default=None, gt=0, description="Fréchet distance, at most this; off when unset")
    max_difference: float = Field(
        default=0.0, description="upper end of the 95 % interval of challenger minus champion, at most this"
    )
    min_category_recall: float = Field(
        default=0.5, ge=0, le=1, description="conditional families: recall of the worst category, at least this"
    )
    min_category_share: float = Field(
        default=0.2, ge=0, le=1, description="share of the rarest category, at least this part of an even share"
    )
    max_category_loss: float = Field(
        default=0.25, ge=0, le=1, description="worst category: at most this part below the champion's worst"
    )
    max_memorised_share: float = Field(
        default=0.01, ge=0, le=1, description="share of samples that copy a training image, at most this"
    )
    max_abs_difference: float = Field(
        default=1e-3, gt=0, description="exported against trained model, largest difference of an output in -1..1"
    )
    max_latency_ms: float = Field(default=250.0, gt=0, description="median for one batch in the serving engine")
    max_memory_mb: float = Field(default=1024.0, gt=0, description="resident memory of the serving engine")


@dataclass(frozen=True)
class Scores:
    """What was measured of one version, and against what; shares and recalls are in 0..1, by category."""

    distance: float
    reference_digest: str
    extractor_digest: str
    shares: Mapping[str, float]
    memorised_share: float
    recalls: Mapping[str, float] | None = None
    untrained_distance: float | None = None

    @property
    def by_category(self) -> Mapping[str, float]:
        """Recall for conditional families, which are asked for a category; else the share of the samples."""
        return self.shares if self.recalls is None else self.recalls


@dataclass(frozen=True)
class Servability:
    """What the serving engine measured of the exported model."""

    max_abs_difference: float
    latency_ms: float
    memory_mb: float


@dataclass(frozen=True)
class Verdict:
    """The gate's answer; `reasons` are the broken bounds and `held` those that hold, in words."""

    good_enough: bool
    servable: bool
    reasons: list[str]
    held: list[str]
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True when both blessings are given."""
        return self.good_enough and self.servable

    @property
    def text(self) -> str:
        """One line for the version's tag and the ledger."""
        return "; ".join(self.reasons if self.reasons else self.held)


class _Finding(NamedTuple):
    holds: bool
    text: str


def judge(
    challenger: Scores,
    champion: Scores | None,
    bounds: GateBounds,
    servability: Servability | None,
    interval: Interval | None = None,
) -> Verdict:
    """Judge `challenger`; `interval` is the paired bootstrap of its distance minus the champion's.

    A figure that is not a number breaks its bound. Without `servability` the second blessing is refused. Without a
    champion only the absolute bounds decide.

    Raises:
        InputError: the two were measured against other references or with other extractors, or the interval is missing.
    """
    good = [*_absolute(challenger, bounds), _worst_category(challenger, bounds), _memorised(challenger, bounds)]
    if champion is not None:
        good += [_better(challenger, champion, interval, bounds), _category_kept(challenger, champion, bounds)]
    served = _servable(servability, bounds)
    findings = [*good, *served]
    return Verdict(
        good_enough=all(finding.holds for finding in good),
        servable=all(finding.holds for finding in served),
        reasons=[finding.text for finding in findings if not finding.holds],
        held=[finding.text for finding in findings if finding.holds],
        figures=_figures(challenger, champion, servability, interval),
    )


def _absolute(scores: Scores, bounds: GateBounds) -> list[_Finding]:
    findings = []
    if bounds.max_distance is not None:
        text = f"Fréchet distance {scores.distance:.1f}, must be at most {bounds.max_distance:.1f}"
        findings.append(_Finding(scores.distance <= bounds.max_distance, text))
    if scores.untrained_distance is not None:
        limit = bounds.max_distance_of_untrained * scores.untrained_distance
        text = (
            f"Fréchet distance {scores.distance:.1f} against an untrained network's {scores.untrained_distance:.1f}: "
            f"must be at most {bounds.max_distance_of_untrained:.0%} of it ({limit:.1f})"
        )
        findings.append(_Finding(scores.distance <= limit, text))
    if not findings:
        text = f"Fréchet distance {scores.distance:.1f}: no absolute bound to hold it against, set max_distance"
        findings.append(_Finding(False, text))
    return findings


def _worst_category(scores: Scores, bounds: GateBounds) -> _Finding:
    name, worst = _least(scores.by_category)
    if scores.recalls is not None:
        text = f"worst category {name}: recall {worst:.3f}, must be at least {bounds.min_category_recall:.3f}"
        return _Finding(worst >= bounds.min_category_recall, text)
    limit = bounds.min_category_share / len(scores.shares)
    text = f"rarest category {name}: {worst:.2%} of the samples, must be at least {limit:.2%}"
    return _Finding(worst >= limit, text)


def _category_kept(challenger: Scores, champion: Scores, bounds: GateBounds) -> _Finding:
    (name, worst), (_, before) = _least(challenger.by_category), _least(champion.by_category)
    limit = (1 - bounds.max_category_loss) * before
    text = f"worst category {name}: {worst:.3f} against the champion's worst {before:.3f}, must be at least {limit:.3f}"
    return _Finding(worst >= limit, text)


def _memorised(scores: Scores, bounds: GateBounds) -> _Finding:
    text = (
        f"copies of training images: {scores.memorised_share:.2%} of the samples, "
        f"must be at most {bounds.max_memorised_share:.2%}"
    )
    return _Finding(scores.memorised_share <= bounds.max_memorised_share, text)


def _better(challenger: Scores, champion: Scores, interval: Interval | None, bounds: GateBounds) -> _Finding:
    for name in ("reference_digest", "extractor_digest"):
        ours, theirs = getattr(challenger, name), getattr(champion, name)
        if ours != theirs:
            raise InputError(
                f"champion's {name}", theirs, f"the challenger's, {ours}; evaluate both in the same way first"
            )
    if interval is None:
        raise InputError("interval", None, "the paired bootstrap's, for there is a champion to compare with")
    text = (
        f"Fréchet distance {challenger.distance:.1f} against champion {champion.distance:.1f}: 95 % interval of the "
        f"difference [{interval.low:+.1f}, {interval.high:+.1f}], must be at most {bounds.max_difference:+.1f}"
    )
    return _Finding(interval.high <= bounds.max_difference, text)


def _servable(measured: Servability | None, bounds: GateBounds) -> list[_Finding]:
    if measured is None:
        return [_Finding(False, "serving: never measured, the exported model was not loaded in the serving engine")]
    limits = (
        ("largest difference from the trained model", measured.max_abs_difference, bounds.max_abs_difference, ""),
        ("latency", measured.latency_ms, bounds.max_latency_ms, " ms"),
        ("memory", measured.memory_mb, bounds.max_memory_mb, " MB"),
    )
    return [
        _Finding(value <= limit, f"serving: {name} {value:.4g}{unit}, must be at most {limit:.4g}{unit}")
        for name, value, limit, unit in limits
    ]


def _least(values: Mapping[str, float]) -> tuple[str, float]:
    """The category with the smallest value; one that is not a number is the worst of all."""
    if not values:
        raise InputError("categories", "none", "at least one category with a figure")
    return min(values.items(), key=lambda item: -math.inf if math.isnan(item[1]) else item[1])


def _figures(
    challenger: Scores, champion: Scores | None, servability: Servability | None, interval: Interval | None
) -> dict[str, float]:
    figures = {"distance": challenger.distance, "memorised_share": challenger.memorised_share}
    if champion is not None and interval is not None:
        figures |= {"champion_distance": champion.distance, **interval._asdict()}
    if servability is not None:
        figures |= {**vars(servability)}
    return figures
