"""The gate: a challenger becomes champion when it is good enough and servable."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from models.errors import InputError
from models.metrics.bootstrap import Comparison
from models.metrics.criteria import FRECHET, KERNEL, TITLES
from tasks.promotion.bounds import GateBounds, ServingBounds


@dataclass(frozen=True)
class Scores:
    """One version's figures and what they were measured against; shares and recalls are in 0..1, by category.

    `distance` is the figure called `criterion`; the distances by category are kernel distances.
    """

    distance: float
    reference_digest: str
    extractor_digest: str
    shares: Mapping[str, float]
    memorised_share: float
    recalls: Mapping[str, float] | None = None
    untrained_distance: float | None = None
    criterion: str = FRECHET
    category_distances: Mapping[str, float] = field(default_factory=dict)
    untrained_category_distances: Mapping[str, float] = field(default_factory=dict)

    @property
    def by_category(self) -> Mapping[str, float]:
        """Recall for conditional families, which can be asked for a category; else the share of samples."""
        return self.shares if self.recalls is None else self.recalls


@dataclass(frozen=True)
class Servability:
    """What the serving engine measured for the exported model."""

    max_abs_difference: float
    latency_ms: float
    memory_mb: float


@dataclass(frozen=True)
class GateVerdict:
    """The gate's decision; `reasons` are the bounds that failed and `held` those that were met, in words."""

    good_enough: bool
    servable: bool
    reasons: list[str]
    held: list[str]
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True when the version is both good enough and servable."""
        return self.good_enough and self.servable

    @property
    def text(self) -> str:
        """One line for the version's tag and the ledger."""
        return "; ".join(self.reasons if self.reasons else self.held)


class Finding(NamedTuple):
    """One bound: whether it is met, and what was measured, in words."""

    holds: bool
    text: str


def judge_generator(
    challenger: Scores,
    champion: Scores | None,
    bounds: GateBounds,
    servability: Servability | None,
    comparison: Comparison | None = None,
) -> GateVerdict:
    """Judge `challenger`; `comparison` holds the paired bootstrap of its distance minus the champion's.

    A figure that is not a number fails its bound. Without `servability` the version is not servable. Without a
    champion, only the absolute bounds decide.

    Raises:
        InputError: the two were measured against different references or extractors, or cannot be compared.
    """
    good = [*_absolute(challenger, bounds), _worst_category(challenger, bounds), _memorised(challenger, bounds)]
    good += _farthest_category(challenger, bounds)
    if champion is not None:
        good += [_better(challenger, champion, comparison, bounds), _category_kept(challenger, champion, bounds)]
        good += _farthest_kept(challenger, champion, bounds)
    return conclude(good, judge_serving(servability, bounds), _figures(challenger, comparison), servability)


def conclude(
    good: list[Finding], served: list[Finding], figures: Mapping[str, float], servability: Servability | None
) -> GateVerdict:
    """The verdict from the findings of both parts; the serving costs are added to the figures."""
    findings = [*good, *served]
    return GateVerdict(
        good_enough=all(finding.holds for finding in good),
        servable=all(finding.holds for finding in served),
        reasons=[finding.text for finding in findings if not finding.holds],
        held=[finding.text for finding in findings if finding.holds],
        figures={**figures, **(vars(servability) if servability is not None else {})},
    )


def _absolute(scores: Scores, bounds: GateBounds) -> list[Finding]:
    findings, distance = [], f"{TITLES[scores.criterion]} {_short(scores.distance)}"
    names = {FRECHET: "max_distance", KERNEL: "max_kernel_distance"}
    limit: float | None = getattr(bounds, names[scores.criterion])
    if limit is not None:
        findings.append(Finding(scores.distance <= limit, f"{distance}, must be at most {_short(limit)}"))
    if scores.untrained_distance is not None:
        limit = bounds.max_distance_of_untrained * scores.untrained_distance
        text = (
            f"{distance} against an untrained network's {_short(scores.untrained_distance)}: "
            f"must be at most {bounds.max_distance_of_untrained:.0%} of it ({_short(limit)})"
        )
        findings.append(Finding(scores.distance <= limit, text))
    if not findings:
        text = f"{distance}: no absolute bound to hold it against, set {names[scores.criterion]}"
        findings.append(Finding(False, text))
    return findings


def _farthest_category(scores: Scores, bounds: GateBounds) -> list[Finding]:
    """Each category's distance as a fraction of the untrained network's; the largest counts."""
    untrained = scores.untrained_category_distances
    parts = {
        name: distance / untrained[name] for name, distance in scores.category_distances.items() if name in untrained
    }
    if not parts:
        return []
    name, part = _worst(parts, math.inf, max)
    limit = bounds.max_category_distance_of_untrained
    text = (
        f"farthest category {name}: kernel distance {_short(scores.category_distances[name])}, {part:.0%} of an "
        f"untrained network's {_short(untrained[name])}, must be at most {limit:.0%}"
    )
    return [Finding(part <= limit, text)]


def _farthest_kept(challenger: Scores, champion: Scores, bounds: GateBounds) -> list[Finding]:
    if not (challenger.category_distances and champion.category_distances):
        return []
    (name, worst), (_, before) = (_worst(one.category_distances, math.inf, max) for one in (challenger, champion))
    limit = (1 + bounds.max_category_distance_gain) * before
    text = (
        f"farthest category {name}: kernel distance {_short(worst)} against the champion's worst {_short(before)}, "
        f"must be at most {_short(limit)}"
    )
    return [Finding(worst <= limit, text)]


def _worst_category(scores: Scores, bounds: GateBounds) -> Finding:
    name, worst = _least(scores.by_category)
    if scores.recalls is not None:
        text = f"worst category {name}: recall {worst:.3f}, must be at least {bounds.min_category_recall:.3f}"
        return Finding(worst >= bounds.min_category_recall, text)
    limit = bounds.min_category_share / len(scores.shares)
    text = f"rarest category {name}: {worst:.2%} of the samples, must be at least {limit:.2%}"
    return Finding(worst >= limit, text)


def _category_kept(challenger: Scores, champion: Scores, bounds: GateBounds) -> Finding:
    (name, worst), (_, before) = _least(challenger.by_category), _least(champion.by_category)
    limit = (1 - bounds.max_category_loss) * before
    text = f"worst category {name}: {worst:.3f} against the champion's worst {before:.3f}, must be at least {limit:.3f}"
    return Finding(worst >= limit, text)


def _memorised(scores: Scores, bounds: GateBounds) -> Finding:
    text = (
        f"copies of training images: {scores.memorised_share:.2%} of the samples, "
        f"must be at most {bounds.max_memorised_share:.2%}"
    )
    return Finding(scores.memorised_share <= bounds.max_memorised_share, text)


def _better(challenger: Scores, champion: Scores, comparison: Comparison | None, bounds: GateBounds) -> Finding:
    for name in ("reference_digest", "extractor_digest"):
        ours, theirs = getattr(challenger, name), getattr(champion, name)
        if ours != theirs:
            raise InputError(
                f"champion's {name}", theirs, f"the challenger's, {ours}; evaluate both in the same way first"
            )
    if comparison is None:
        raise InputError("comparison", None, "the paired bootstrap's, for there is a champion to compare with")
    interval = comparison.interval
    text = (
        f"{TITLES[comparison.criterion]} {_short(comparison.challenger)} against champion "
        f"{_short(comparison.champion)} over {comparison.samples:,} samples: 95 % interval of the difference "
        f"[{interval.low:+.3g}, {interval.high:+.3g}], must be at most {bounds.max_difference:+.3g}"
    )
    return Finding(interval.high <= bounds.max_difference, text)


def judge_serving(measured: Servability | None, bounds: ServingBounds) -> list[Finding]:
    """Whether the version is servable; refused when nothing was measured."""
    if measured is None:
        return [Finding(False, "serving: never measured, the exported model was not loaded in the serving engine")]
    limits = (
        ("largest difference from the trained model", measured.max_abs_difference, bounds.max_abs_difference, ""),
        ("latency", measured.latency_ms, bounds.max_latency_ms, " ms"),
        ("memory", measured.memory_mb, bounds.max_memory_mb, " MB"),
    )
    return [
        Finding(value <= limit, f"serving: {name} {value:.4g}{unit}, must be at most {limit:.4g}{unit}")
        for name, value, limit, unit in limits
    ]


def _least(values: Mapping[str, float]) -> tuple[str, float]:
    """The category with the smallest value; not-a-number counts as the worst."""
    return _worst(values, -math.inf, min)


def _worst(values: Mapping[str, float], not_a_number: float, choose: Callable[..., Any]) -> tuple[str, float]:
    if not values:
        raise InputError("categories", "none", "at least one category with a figure")
    found: tuple[str, float] = choose(values.items(), key=lambda item: not_a_number if math.isnan(item[1]) else item[1])
    return found


def _short(value: float) -> str:
    """Four significant digits: distances range from thousandths to thousands."""
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def _figures(challenger: Scores, comparison: Comparison | None) -> dict[str, float]:
    figures = {"distance": challenger.distance, "memorised_share": challenger.memorised_share}
    if comparison is not None:
        figures |= {"champion_distance": comparison.champion, **comparison.interval._asdict()}
    return figures
