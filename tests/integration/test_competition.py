"""Every generative family goes through the whole flow and competes for one slot by the same gate."""

from __future__ import annotations

import pytest

from flows.generate import generate
from flows.train import train
from models.families.discovery import load_family
from tasks.leaderboard.ranking import build_leaderboard
from tasks.registry.loading import load_version
from tasks.workspace.parameters import load_recipe
from tests.families import GENERATING, GRADIENT, shrink
from tests.workshop import at_work, make_workshop

SLOT = "generate-shapes"
SMALL = {
    **{"epochs": 1, "batch_size": 16, "evaluations_per_epoch": 1},
    **{"precision": "32-true", "memory_format": "contiguous"},
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    settings = make_workshop(tmp_path_factory.mktemp("workshop"))
    with at_work(settings) as working:
        yield working


@pytest.fixture(scope="module")
def outcomes(workshop):
    """What the flow made of each family."""
    made = {}
    for name in GENERATING:
        small = shrink(name) | (SMALL if name in GRADIENT else {})
        made[name] = train(load_recipe(workshop.root, name, small), catalogue="shapes")
    return made


def test_every_family_becomes_a_judged_version_of_the_slot(workshop, outcomes):
    assert {outcome.slot for outcome in outcomes.values()} == {SLOT}
    assert [outcome.version for outcome in outcomes.values()] == list(range(1, len(GENERATING) + 1))
    assert outcomes[GENERATING[0]].promoted
    for name, outcome in outcomes.items():
        version = load_version(workshop, SLOT, outcome.version)
        assert version.tags["family"] == name
        assert {"parameters", "megabytes", "latency_ms", "memory_mb"} <= set(version.tags)
        assert outcome.verdict


def test_the_leaderboard_ranks_them_all_on_the_same_images(workshop, outcomes):
    board = build_leaderboard(workshop, SLOT)
    assert sorted(one.family for one in board.standings) == sorted(GENERATING)
    assert sorted(one.rank for one in board.standings) == list(range(1, len(GENERATING) + 1))


def test_only_families_with_a_likelihood_report_bits(workshop, outcomes):
    standings = build_leaderboard(workshop, SLOT).standings
    told = {one.family for one in standings if "bits_per_dimension" in one.figures}
    assert told == {name for name in GENERATING if load_family(name).likelihood}


def test_the_champion_serves_whichever_family_it_is(workshop, outcomes, tmp_path):
    made = generate(slot=SLOT, count=3, seed=1, out=str(tmp_path))
    assert len(made.images) == 3
