from __future__ import annotations

import math
from dataclasses import replace

import pytest

from models.errors import InputError
from models.metrics.bootstrap import Comparison, Interval
from tasks.promotion.bounds import GateBounds
from tasks.promotion.gate import Scores, Servability, judge_generator

GOOD = Scores(
    distance=311.2,
    reference_digest="ref",
    extractor_digest="ruler",
    shares={"bag": 0.5, "shirt": 0.5},
    memorised_share=0.0,
    untrained_distance=1530.0,
)
SERVED = Servability(max_abs_difference=1e-6, latency_ms=12.0, memory_mb=300.0)
BETTER = Comparison("frechet_distance", 10_000, 311.2, 331.2, Interval(-20.0, -31.0, -9.5))
CHAMPION = replace(GOOD, distance=331.2)


def test_a_first_version_passes_on_the_absolute_bounds():
    verdict = judge_generator(GOOD, None, GateBounds(), SERVED)
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
        (
            replace(GOOD, category_distances={"bag": 2.0, "shirt": 7.0}),
            "farthest category shirt: kernel distance 7, 70%",
        ),
        (
            replace(GOOD, category_distances={"bag": math.nan, "shirt": 1.0}),
            "farthest category bag: kernel distance nan",
        ),
    ],
)
def test_each_absolute_bound_can_refuse(scores, reason):
    scores = replace(scores, untrained_category_distances={"bag": 20.0, "shirt": 10.0})
    verdict = judge_generator(scores, None, GateBounds(), SERVED)
    assert not verdict.good_enough
    assert verdict.servable
    assert len(verdict.reasons) == 1
    assert reason in verdict.text


def test_bounds_are_inclusive_and_settable():
    bounds = GateBounds(max_distance=311.2, max_memorised_share=0.0)
    assert judge_generator(replace(GOOD, untrained_distance=None), None, bounds, SERVED).passed
    assert not judge_generator(replace(GOOD, distance=311.3), None, bounds, SERVED).passed


def test_few_images_are_held_to_the_kernel_distances_bounds():
    few = replace(GOOD, criterion="kernel_distance", distance=0.4, untrained_distance=7.0)
    assert (
        "kernel distance 0.4 against an untrained network's 7" in judge_generator(few, None, GateBounds(), SERVED).text
    )
    bounds = GateBounds(max_distance=0.1, max_kernel_distance=0.3)
    assert judge_generator(few, None, bounds, SERVED).reasons == ["kernel distance 0.4, must be at most 0.3"]
    refused = judge_generator(replace(few, untrained_distance=None), None, GateBounds(), SERVED)
    assert "set max_kernel_distance" in refused.text


def test_each_category_is_held_to_its_own_untrained_distance():
    # bag is farther off than shirt, but it began farther off still
    scores = replace(GOOD, category_distances={"bag": 3.0, "shirt": 2.0})
    scores = replace(scores, untrained_category_distances={"bag": 30.0, "shirt": 5.0})
    verdict = judge_generator(scores, None, GateBounds(max_category_distance_of_untrained=0.4), SERVED)
    assert verdict.passed
    assert any("farthest category shirt: kernel distance 2, 40%" in held for held in verdict.held)


@pytest.mark.parametrize(("worst", "passes"), [(5.0, True), (5.1, False)])
def test_the_farthest_category_must_stay_near_the_champions(worst, passes):
    challenger = replace(GOOD, category_distances={"bag": 1.0, "shirt": worst})
    champion = replace(CHAMPION, category_distances={"bag": 4.0, "shirt": 2.0})
    verdict = judge_generator(challenger, champion, GateBounds(), SERVED, BETTER)
    assert verdict.passed is passes
    words = f"farthest category shirt: kernel distance {worst:.3g} against the champion's worst 4, must be at most 5"
    assert any(words in text for text in (*verdict.reasons, *verdict.held))


def test_better_than_the_champion_passes():
    verdict = judge_generator(GOOD, CHAMPION, GateBounds(), SERVED, BETTER)
    assert verdict.passed
    assert verdict.figures["champion_distance"] == 331.2
    assert verdict.figures["high"] == -9.5


@pytest.mark.parametrize(
    "interval", [Interval(23.3, 11.0, 35.1), Interval(-1.0, -5.0, 2.0), Interval(0.0, math.nan, math.nan)]
)
def test_not_surely_better_is_refused_with_the_figures(interval):
    comparison = Comparison("kernel_distance", 1000, 0.31, 0.29, interval)
    verdict = judge_generator(GOOD, CHAMPION, GateBounds(), SERVED, comparison)
    assert not verdict.good_enough
    words = "kernel distance 0.31 against champion 0.29 over 1,000 samples: 95 % interval of the difference ["
    assert f"{words}{interval.low:+.3g}" in verdict.text


def test_losing_the_worst_category_is_refused():
    challenger = replace(GOOD, recalls={"bag": 0.9, "shirt": 0.55})
    champion = replace(CHAMPION, recalls={"bag": 0.8, "shirt": 0.8})
    assert (
        "worst category shirt: 0.550 against"
        in judge_generator(challenger, champion, GateBounds(), SERVED, BETTER).text
    )


@pytest.mark.parametrize("name", ["reference_digest", "extractor_digest"])
def test_scores_by_another_ruler_are_not_compared(name):
    with pytest.raises(InputError, match=name):
        judge_generator(GOOD, replace(CHAMPION, **{name: "other"}), GateBounds(), SERVED, BETTER)


def test_a_champion_needs_the_interval():
    with pytest.raises(InputError, match="comparison"):
        judge_generator(GOOD, CHAMPION, GateBounds(), SERVED)


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
    verdict = judge_generator(GOOD, None, GateBounds(), served)
    assert verdict.good_enough
    assert not verdict.servable
    assert not verdict.passed
    assert reason in verdict.text


def test_no_categories_is_an_error():
    with pytest.raises(InputError, match="categories"):
        judge_generator(replace(GOOD, shares={}), None, GateBounds(), SERVED)
