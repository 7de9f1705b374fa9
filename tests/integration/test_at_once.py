"""The registry under several processes' hands, as threads: each has a connection and holds locks of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from models.errors import PackshotError
from tasks.auditing.audit import verify_ledger
from tasks.evaluation.ruler import RulerFile, register_ruler
from tasks.promotion.gate import Servability
from tasks.promotion.moves import ChampionMoved, challenger_of, make_champion, set_challenger
from tasks.promotion.selection import tag_servability
from tasks.registry.loading import load_version
from tasks.registry.tracking import open_tracking
from tasks.registry.versions import list_versions
from tasks.workspace.storage import digest_file

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # MLflow's own models, at import
SAID = {"who": "ann", "why": "because"}


def at_once(work: Callable[[], Any], times: int) -> list[Any]:
    """What `work` returned, or raised, in each of some threads started together."""
    ended: list[Any] = []
    start = threading.Barrier(times)

    def run() -> None:
        start.wait()
        try:
            ended.append(work())
        except Exception as error:
            ended.append(error)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


@pytest.mark.parametrize("attempt", range(3))
def test_an_experiment_is_made_once(registry_settings, tracking, attempt):
    name = f"at-once-{attempt}"
    ids = at_once(lambda: open_tracking(registry_settings).experiment(name), 6)
    assert ids == [tracking.client.get_experiment_by_name(name).experiment_id] * 6


def test_a_ruler_is_registered_once(registry_settings, tracking, tmp_path, write_onnx):
    path = write_onnx(tmp_path / "ruler.onnx", 3.0)
    ruler = RulerFile(path, digest_file(path), 0.9, "trained here")
    assert at_once(lambda: register_ruler(registry_settings, "twice", ruler), 3) == [1, 1, 1]
    assert len(list_versions(registry_settings, "ruler-twice")) == 1


@pytest.mark.parametrize("weight", [1, 2, 3])
def test_what_serving_costs_may_be_written_by_several_at_once(registry_settings, slot, add_version, weight):
    version = load_version(registry_settings, slot, add_version(weight))
    costs = Servability(max_abs_difference=0.0, latency_ms=12.5, memory_mb=weight)
    assert at_once(lambda: tag_servability(registry_settings, version, costs), 6) == [None] * 6
    assert load_version(registry_settings, slot, version.version).tags["latency_ms"] == "12.5"


def test_a_champion_is_found_while_it_is_moved(registry_settings, slot, add_version):
    versions = [add_version(1.0), add_version(2.0)]
    make_champion(registry_settings, slot, versions[0], **SAID)
    problems: list[PackshotError] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                assert load_version(registry_settings, slot, "champion").version in versions
            except PackshotError as error:
                problems.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(1, 13):
            make_champion(registry_settings, slot, versions[turn % 2], **SAID)
    finally:
        done.set()
        reader.join()
    assert problems == []


@pytest.mark.parametrize("move", [make_champion, set_challenger])
def test_a_verdict_against_another_champion_moves_nothing(registry_settings, slot, add_version, move):
    first, second, third = (add_version(weight) for weight in (1.0, 2.0, 3.0))
    make_champion(registry_settings, slot, first, **SAID, over=None)
    make_champion(registry_settings, slot, second, **SAID, over=first)
    before = verify_ledger(registry_settings)
    for judged, said in ((None, "none"), (first, f"version {first}")):
        with pytest.raises(ChampionMoved, match=f"against champion {said}, but version {second} is the champion"):
            move(registry_settings, slot, third, **SAID, over=judged)
    assert verify_ledger(registry_settings) == before
    assert challenger_of(registry_settings, slot) is None
    assert move(registry_settings, slot, third, **SAID, over=second).changed
