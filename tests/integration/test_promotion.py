"""Promotion, rollback and the ledger on a real MLflow in SQLite, crashes in the middle included."""

from __future__ import annotations

import pytest

from models.errors import LedgerError, RegistryError
from tasks.auditing.audit import verify_ledger
from tasks.auditing.healing import restore_ledger
from tasks.lineage.ledger import Ledger
from tasks.promotion.moves import Move, challenger_of, make_champion, restore_champion, set_challenger
from tasks.registry import recording
from tasks.registry.loading import load_version
from tasks.registry.recording import repair
from tasks.workspace.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # MLflow's own models, at import


@pytest.fixture
def settings(registry_settings) -> Settings:
    return registry_settings


def move(function, settings, slot, *version, **more) -> Move:
    return function(settings, slot, *version, who="ann", why="because", **more)


def test_promote_moves_the_alias_and_writes_the_ledger(settings, slot, add_version):
    first, second = add_version(1.0), add_version(2.0)
    move(make_champion, settings, slot, first, figures={"distance": 12.5})
    done = move(make_champion, settings, slot, second)
    assert (done.version, done.previous, done.changed) == (second, first, True)
    assert load_version(settings, slot, "champion").version == second
    entry = next(e for e in verify_ledger(settings) if e.slot == slot and e.action == "promote")
    assert (entry.action, entry.who, entry.why, entry.figures) == ("promote", "ann", "because", {"distance": 12.5})


def test_promoting_the_champion_changes_nothing(settings, slot, add_version):
    version = add_version()
    move(make_champion, settings, slot, version)
    before = verify_ledger(settings)
    again = move(make_champion, settings, slot, version)
    assert not again.changed
    assert "nothing changed" in again.text
    assert verify_ledger(settings) == before


def test_promote_takes_the_challenger_by_default(settings, slot, add_version):
    first, second = add_version(1.0), add_version(2.0)
    move(make_champion, settings, slot, first)
    set_challenger(settings, slot, second, who="gate", why="distance 311 against 287", figures={})
    waiting = challenger_of(settings, slot)
    assert waiting.version == second
    assert waiting.tags["gate.reason"] == "distance 311 against 287"
    assert waiting.description == "# 2.0"
    assert move(make_champion, settings, slot, None).version == second
    assert challenger_of(settings, slot) is None
    with pytest.raises(RegistryError, match="got 'challenger', there are"):
        move(make_champion, settings, slot, None)


def test_rollback_goes_back_step_by_step_and_then_refuses(settings, slot, add_version):
    versions = [add_version(float(weight)) for weight in range(3)]
    for version in versions:
        move(make_champion, settings, slot, version)
    assert move(restore_champion, settings, slot).version == versions[1]
    assert move(restore_champion, settings, slot).version == versions[0]
    with pytest.raises(RegistryError, match="no champion before this one"):
        move(restore_champion, settings, slot)
    assert load_version(settings, slot, "champion").version == versions[0]
    assert "rolled back to version 2" in load_version(settings, slot, versions[2]).tags["gate.reason"]


def test_deleted_champion_is_noticed_and_rollback_still_works(settings, tracking, slot, add_version):
    first, second = add_version(1.0), add_version(2.0)
    move(make_champion, settings, slot, first)
    move(make_champion, settings, slot, second)
    tracking.client.delete_model_version(slot, str(second))
    with pytest.raises(RegistryError, match=f"the ledger names version {second}"):
        load_version(settings, slot, "champion")
    assert move(restore_champion, settings, slot).version == first
    assert load_version(settings, slot, "champion").version == first


def test_champion_moved_by_hand_is_refused(settings, tracking, slot, add_version):
    first, second = add_version(1.0), add_version(2.0)
    move(make_champion, settings, slot, first)
    tracking.client.set_registered_model_alias(slot, "champion", str(second))
    with pytest.raises(RegistryError, match="moved outside Packshot"):
        load_version(settings, slot, "champion")
    move(make_champion, settings, slot, second)
    assert load_version(settings, slot, "champion").version == second


class Crash(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


@pytest.mark.parametrize("step", ["_set_aliases", "_drop_challenger"])
def test_crash_before_the_line_is_repaired(settings, slot, add_version, monkeypatch, step):
    first, second = add_version(1.0), add_version(2.0)
    move(make_champion, settings, slot, first)

    def crash(*_):
        raise Crash

    with monkeypatch.context() as broken, pytest.raises(Crash):
        broken.setattr(recording, step, crash)
        move(make_champion, settings, slot, second)
    assert load_version(settings, slot, "champion").version in (first, second)
    assert repair(settings).version == second
    assert load_version(settings, slot, "champion").version == second
    assert repair(settings) is None
    verify_ledger(settings)


def test_crash_after_the_line_is_repaired(settings, slot, add_version, monkeypatch):
    version = add_version()
    finish = Ledger.finish

    def crash_after(ledger, entry):
        content = ledger.path.read_bytes() if ledger.path.exists() else b""
        ledger.path.write_bytes(content + entry.line.encode())
        raise Crash

    with monkeypatch.context() as broken, pytest.raises(Crash):
        broken.setattr(Ledger, "finish", crash_after)
        move(make_champion, settings, slot, version)
    assert Ledger.finish is finish
    assert not move(make_champion, settings, slot, version).changed
    assert [e.version for e in verify_ledger(settings) if e.slot == slot and e.action == "promote"] == [version]


def test_version_deleted_under_a_pending_move_cancels_it(settings, tracking, slot, add_version, monkeypatch):
    first, second = add_version(1.0), add_version(2.0)
    move(make_champion, settings, slot, first)

    def crash(*_):
        raise Crash

    with monkeypatch.context() as broken, pytest.raises(Crash):
        broken.setattr(recording, "_set_aliases", crash)
        move(make_champion, settings, slot, second)
    tracking.client.delete_model_version(slot, str(second))
    with pytest.raises(RegistryError, match=f"version {second} cannot be moved"):
        repair(settings)
    assert load_version(settings, slot, "champion").version == first
    assert repair(settings) is None


def test_cut_ledger_is_noticed_by_verify_and_by_a_move(settings, slot, add_version):
    version = add_version()
    move(make_champion, settings, slot, version)
    path = Ledger(settings.home).path
    whole = path.read_bytes()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    try:
        with pytest.raises(LedgerError, match="was removed"):
            verify_ledger(settings)
        with pytest.raises(LedgerError, match="was removed"):
            move(make_champion, settings, slot, add_version(2.0))
    finally:
        path.write_bytes(whole)
    verify_ledger(settings)


def test_a_cut_ledger_and_index_are_noticed_by_the_registered_model(settings, slot, add_version):
    move(make_champion, settings, slot, add_version())
    ledger = Ledger(settings.home)
    entries = ledger.entries()
    ledger.begin_anew(entries[:-1])
    with pytest.raises(LedgerError, match=f"entry {len(entries)} is missing, which the registered model {slot} names"):
        verify_ledger(settings)
    ledger.begin_anew(entries)
    assert verify_ledger(settings) == entries


def test_a_lost_lineage_database_is_restored_from_the_file(settings, slot, add_version):
    move(make_champion, settings, slot, add_version())
    entries = verify_ledger(settings)
    for path in settings.home.glob("lineage.db*"):
        path.unlink()
    with pytest.raises(LedgerError, match="holds none of its entries"):
        verify_ledger(settings)
    assert restore_ledger(settings, who="ann") == entries
    assert load_version(settings, slot, "champion").version == 1
