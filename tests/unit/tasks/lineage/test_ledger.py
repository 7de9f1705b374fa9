from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import update

from models.errors import LedgerError
from tasks.lineage.chain import GENESIS, State
from tasks.lineage.entries import Entry, Intent, champions, previous_champion
from tasks.lineage.ledger import Ledger, extend
from tasks.lineage.tables import LineageDatabase, ledger_entries


def intent(version: int, action: str = "promote", slot: str = "s", previous: int | None = None) -> Intent:
    return Intent(
        slot=slot, action=action, version=version, previous=previous, who="ann", why="bon marché", figures={"d": 1.5}
    )


def write(ledger: Ledger, *intents: Intent) -> list[Entry]:
    entries = []
    for one in intents:
        entries.append(ledger.begin(one))
        ledger.finish(entries[-1])
    return entries


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger(tmp_path)


def test_written_entries_read_back_chained(ledger):
    written = write(ledger, intent(1), intent(2, previous=1))
    assert ledger.entries() == written
    assert written[0].previous_hash == GENESIS
    assert written[1].previous_hash == written[0].hash
    assert json.loads(ledger.path.read_text().splitlines()[1])["why"] == "bon marché"


def test_an_empty_ledger_holds(ledger):
    assert ledger.entries() == []
    assert ledger.champion("s") is None


def test_an_entry_added_behind_the_index_is_found(ledger):
    last = write(ledger, intent(1))[-1]
    with ledger.path.open("a") as stream:
        stream.write(extend([last], intent(2), ledger.key()).line)
    with pytest.raises(LedgerError, match=r"entry 2 is in the file and not in the index; to mend it: .* --restore"):
        ledger.entries()


def test_a_lost_file_is_found(ledger):
    write(ledger, intent(1))
    ledger.path.unlink()
    with pytest.raises(LedgerError, match="entry 1 was removed"):
        ledger.entries()


def test_a_lost_index_is_said_and_restored(ledger):
    entries = write(ledger, intent(1), intent(2))
    (ledger.path.parent / "lineage.db").unlink()
    again = Ledger(ledger.path.parent)
    with pytest.raises(LedgerError, match=r"lineage\.db holds none of its entries"):
        again.entries()
    assert again.restore() == entries == again.entries()


def test_a_lost_file_is_restored_from_the_index_with_its_pending_entry(ledger):
    entries = write(ledger, intent(1), intent(2))
    begun = ledger.begin(intent(3))
    whole = ledger.path.read_bytes()
    ledger.path.write_text("no ledger")
    assert ledger.restore() == entries
    assert (ledger.path.read_bytes(), ledger.read().pending) == (whole, begun)
    assert (ledger.path.parent / "ledger.jsonl.aside-1").read_text() == "no ledger"


def test_the_file_is_its_owners_alone(ledger):
    write(ledger, intent(1))
    assert ledger.path.stat().st_mode & 0o777 == 0o600


def test_a_pending_entry_is_not_yet_written_and_can_be_cancelled(ledger):
    write(ledger, intent(1))
    begun = ledger.begin(intent(2, previous=1))
    assert ledger.read().pending == begun
    assert [entry.version for entry in ledger.entries()] == [1]
    ledger.cancel(begun)
    assert ledger.read().pending is None


def test_a_finished_entry_cannot_be_cancelled_and_finishing_twice_is_once(ledger):
    entry = write(ledger, intent(1))[0]
    ledger.finish(entry)
    ledger.cancel(entry)
    assert ledger.entries() == [entry]


def test_champions_go_up_by_promotion_and_down_by_rollback(ledger):
    write(ledger, intent(1), intent(7, slot="other"), intent(2), intent(5, "challenge"), intent(3))
    assert ledger.champion("s") == 3
    assert previous_champion(ledger.entries(), "s") == 2
    write(ledger, intent(2, "rollback", previous=3))
    assert champions(ledger.entries(), "s") == [1, 2]
    assert previous_champion(ledger.entries(), "other") is None


def test_promoting_the_champion_again_is_no_step_to_roll_back(ledger):
    write(ledger, intent(1), intent(2), intent(2, previous=2))
    assert champions(ledger.entries(), "s") == [1, 2]


def test_a_reader_never_sees_half_a_move(ledger):
    problems: list[LedgerError] = []
    done = threading.Event()

    def read():
        while not done.is_set():
            try:
                Ledger(ledger.path.parent).entries()
            except LedgerError as error:
                problems.append(error)

    write(ledger, intent(1))
    reader = threading.Thread(target=read)
    reader.start()
    write(ledger, *(intent(version) for version in range(2, 30)))
    done.set()
    reader.join()
    assert problems == []


def test_a_mark_that_a_crash_left_behind_its_line_is_removed_by_the_next_entry(ledger):
    first = write(ledger, intent(1))
    with LineageDatabase(ledger.path.parent).begin() as connection:
        connection.execute(update(ledger_entries).values(pending=True))
    assert ledger.read() == State(first)
    write(ledger, intent(2))
    assert [entry.n for entry in ledger.entries()] == [1, 2]
