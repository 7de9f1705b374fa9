"""Several trainings at once in one checkout: they share its state and wait for each other where they must."""

from __future__ import annotations

import pytest

from tasks.auditing.audit import verify_ledger
from tasks.registry.versions import list_versions
from tests.e2e.shop import SLOT, TRAIN

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
STEPS = ("ingest", "validate", "prepare", "ruler", "fit", "evaluate", "register", "gate")


def test_all_succeed_and_each_recipe_is_trained_once(shop, trainings):
    for ended in trainings:
        assert ended.code == 0, ended.err[-1500:]
        assert f"{SLOT} version " in ended.success()
    versions = list_versions(shop.settings, SLOT)
    assert sorted(version.version for version in versions) == [1, 2]
    assert len({version.run_id for version in versions}) == 2
    assert len(list(shop.settings.home.glob("trainings/*/result.json"))) == 2


def test_the_ledger_holds_and_has_the_move_of_each(shop, trainings):
    moves = [entry for entry in verify_ledger(shop.settings) if entry.action != "register"]
    assert {entry.version for entry in moves} == {1, 2}


def test_the_same_command_finds_nothing_to_do(shop, trainings):
    again = shop.run(*TRAIN, "--seed", "0").success()
    assert again.count("skipped") == len(STEPS)
    assert all(f"{step} " in again for step in STEPS)
    assert "done" not in again
