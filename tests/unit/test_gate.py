from __future__ import annotations

import math
from dataclasses import replace

import pytest

from models.errors import InputError
from tasks.bootstrap import Interval
from tasks.gate import GateBounds, Scores, Servability, judge

GOOD = Scores(
    distance=311.2,
    reference_digest="ref",
    extractor_digest="ruler",
    shares={"bag": 0.5, "shirt": 0.5},
    memorised_share=0.0,
    untrained_distance=1530.0,
)
SERVED = Servability(max_abs_difference=1e-6, latency_ms=12.0, memory_mb=300.0)
BETTER = Interval(-20.0, -31.0, -9.5)
CHAMPION = replace(GOOD, distance=331.2)


def test_a_first_version_passes_on_the_absolute_bounds():
    verdict = judge(GOOD, None, GateBounds(), SERVED)
    assert verdict.passed
    assert verdict.reasons == []
    assert "311.2 against an untrained network's 1530.0" in verdict.text


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (replace(GOOD, distance=800.0), "at most 50% of it"),
        (replace(GOOD, distance=math.nan), "untrained"),
        (replace(GOOD, untrained_distance=None), "no absolute bound"),
        (replace(GOOD, shares={"bag": 0.96, "shirt": 0.04}), "rarest category shirt: 4.00%"),
        (replace(GOOD, shares={"bag": math.nan, "shirt": 0.04}), "rarest category bag"),
        (replace(GOOD, recalls={"bag": 0.9, "shirt": 0.2}), "worst category shirt: recall 0.200"),
        (replace(GOOD, memorised_share=0.03), "copies of training images: 3.00%"),
    ],
)
def test_each_absolute_bound_can_refuse(scores, reason):
    verdict = judge(scores, None, GateBounds(), SERVED)
    assert not verdict.good_enough
    assert verdict.servable
    assert len(verdict.reasons) == 1
    assert reason in verdict.text


def test_bounds_are_inclusive_and_settable():
    bounds = GateBounds(max_distance=311.2, max_memorised_share=0.0)
    assert judge(replace(GOOD, untrained_distance=None), None, bounds, SERVED).passed
    assert not judge(replace(GOOD, distance=311.3), None, bounds, SERVED).passed


def test_better_than_the_champion_passes():
    verdict = judge(GOOD, CHAMPION, GateBounds(), SERVED, BETTER)
    assert verdict.passed
    assert verdict.figures["champion_distance"] == 331.2
    assert verdict.figures["high"] == -9.5


@pytest.mark.parametrize(
    "interval", [Interval(23.3, 11.0, 35.1), Interval(-1.0, -5.0, 2.0), Interval(0.0, math.nan, math.nan)]
)
def test_not_surely_better_is_refused_with_the_figures(interval):
    verdict = judge(replace(GOOD), replace(GOOD, distance=287.9), GateBounds(), SERVED, interval)
    assert not verdict.good_enough
    assert f"311.2 against champion 287.9: 95 % interval of the difference [{interval.low:+.1f}" in verdict.text


def test_losing_the_worst_category_is_refused():
    challenger = replace(GOOD, recalls={"bag": 0.9, "shirt": 0.55})
    champion = replace(CHAMPION, recalls={"bag": 0.8, "shirt": 0.8})
    assert "worst category shirt: 0.550 against" in judge(challenger, champion, GateBounds(), SERVED, BETTER).text


@pytest.mark.parametrize("name", ["reference_digest", "extractor_digest"])
def test_scores_by_another_ruler_are_not_compared(name):
    with pytest.raises(InputError, match=name):
        judge(GOOD, replace(CHAMPION, **{name: "other"}), GateBounds(), SERVED, BETTER)


def test_a_champion_needs_the_interval():
    with pytest.raises(InputError, match="interval"):
        judge(GOOD, CHAMPION, GateBounds(), SERVED)


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (None, "never measured"),
        (replace(SERVED, max_abs_difference=0.1), "largest difference"),
        (replace(SERVED, latency_ms=900.0), "latency 900 ms, must be at most 250 ms"),
        (replace(SERVED, memory_mb=math.nan), "memory nan MB"),
    ],
)
def test_an_unservable_model_is_refused_though_good(served, reason):
    verdict = judge(GOOD, None, GateBounds(), served)
    assert verdict.good_enough
    assert not verdict.servable
    assert not verdict.passed
    assert reason in verdict.text


def test_no_categories_is_an_error():
    with pytest.raises(InputError, match="categories"):
        judge(replace(GOOD, shares={}), None, GateBounds(), SERVED)
