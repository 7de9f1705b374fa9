"""What is wrong with an alias, and which command mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from tasks.lineage.chain import State
from tasks.lineage.entries import Entry
from tasks.registry.slot_view import Finding, SlotView
from tasks.registry.tracking import Tracking
from tasks.registry.versions import VersionSummary


def view(
    champion: int | None, challenger: int | None = None, told: tuple[int, ...] = (1,), pending: int = 0
) -> SlotView:
    aliases = {champion: ("champion",), challenger: ("challenger",)}
    versions = [VersionSummary("s", n, "r", {}, aliases.get(n, ()), "", created=1) for n in (1, 2)]
    entries = [
        Entry(
            slot="s", action="promote", version=version, previous=None, who="", why="", n=n, time="", previous_hash=""
        )
        for n, version in enumerate((*told, *([pending] if pending else [])), start=1)
    ]
    state = State(entries[:-1], entries[-1]) if pending else State(entries)
    nowhere = Tracking("sqlite:///nowhere.db", MlflowClient.__new__(MlflowClient), None)
    return SlotView(Path("home"), nowhere, state, "s", versions)


def test_an_alias_is_right_where_the_ledger_has_it_also_during_a_move():
    assert view(1).find_alias_fault("champion") is None
    assert view(None, told=()).find_alias_fault("champion") is None
    for champion in (1, 2):
        assert view(champion, pending=2).find_alias_fault("champion") is None


@pytest.mark.parametrize(
    ("seen", "alias", "told"),
    [
        (view(2), "champion", "champion of s is version 2 in the registry, but the ledger names version 1"),
        (view(1, told=()), "champion", "champion of s is version 1 in the registry, but the ledger has no champion"),
        (view(1, challenger=2), "challenger", "challenger of s is version 2 in the registry, but the ledger has no"),
        (view(None), "champion", "s has no champion in the registry, though the ledger names version 1: the alias was"),
        (view(None, told=(7,)), "champion", "s has no champion in the registry, though the ledger names version 7: it"),
    ],
)
def test_an_alias_that_is_elsewhere_is_restored(seen, alias, told):
    fault = seen.find_alias_fault(alias)
    assert fault.what.startswith(told)
    assert fault.text == f"{fault.what}; to mend it: packshot lineage --restore"


def test_a_finding_is_one_line():
    assert Finding("bad", "packshot doctor").text == "bad; to mend it: packshot doctor"
