from __future__ import annotations

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import LedgerError
from tasks.lineage.ledger import GENESIS, Entry, Intent, Ledger, champions, check, previous_champion


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


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for n in range(1, length + 1):
        previous = entries[-1].hash if entries else GENESIS
        draft = Entry(**intent(n).model_dump(), n=n, time="2026-01-01T00:00:00Z", previous_hash=previous)
        entries.append(draft.model_copy(update={"hash": draft.digest()}))
    return entries


def edit(lines: list[str], anchored: dict[int, str], at: int, rehash: bool) -> None:
    entry = Entry.model_validate_json(lines[at]).model_copy(update={"version": 99})
    entry = entry.model_copy(update={"hash": entry.digest()}) if rehash else entry
    lines[at] = entry.line.strip()


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
    assert ledger.champions_allowed("s") == []


@given(
    data=st.data(),
    length=st.integers(1, 8),
    kind=st.sampled_from(["edit", "forge", "remove", "insert", "swap", "space"]),
)
def test_any_tampering_is_found_and_the_first_bad_entry_named(data, length, kind):
    entries = chain(length)
    lines = [entry.line.strip() for entry in entries]
    anchored = {entry.n: entry.hash for entry in entries}
    at = data.draw(st.integers(0, length - 1))
    if kind in ("edit", "forge"):
        edit(lines, anchored, at, rehash=kind == "forge")
    elif kind == "remove":
        del lines[at]
    elif kind == "insert":
        lines.insert(at, lines[data.draw(st.integers(0, length - 1))])
        if lines[at] == lines[at + 1]:
            at += 1  # the copy stands beside its original: the second is the one too many
    elif kind == "swap":
        other = data.draw(st.integers(0, length - 1))
        if other == at:
            return
        lines[at], lines[other] = lines[other], lines[at]
        at = min(at, other)
    else:
        lines[at] += " "
    with pytest.raises(LedgerError, match=f"entry {at + 1} "):
        check(lines, anchored)


@given(data=st.data())
def test_any_changed_character_is_found(data):
    entries = chain(3)
    lines = [entry.line.strip() for entry in entries]
    at = data.draw(st.integers(0, 2))
    place = data.draw(st.integers(0, len(lines[at]) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != lines[at][place]))
    lines[at] = lines[at][:place] + letter + lines[at][place + 1 :]
    with pytest.raises(LedgerError, match=f"entry {at + 1} "):
        check(lines, {entry.n: entry.hash for entry in entries})


def test_a_whole_forged_chain_does_not_match_its_anchors():
    forged = chain(3)
    anchored = {1: forged[0].hash, 2: "0" * 64, 3: forged[2].hash}
    with pytest.raises(LedgerError, match="entry 2 was replaced"):
        check([entry.line.strip() for entry in forged], anchored)


def test_an_entry_added_behind_the_anchors_is_found(ledger):
    last = write(ledger, intent(1))[-1]
    draft = Entry(**intent(2).model_dump(), n=2, time="2026-01-01T00:00:00Z", previous_hash=last.hash)
    with ledger.path.open("a") as stream:
        stream.write(draft.model_copy(update={"hash": draft.digest()}).line)
    with pytest.raises(LedgerError, match="entry 2 was added outside Packshot"):
        ledger.entries()


def test_a_lost_file_is_found(ledger):
    write(ledger, intent(1))
    ledger.path.unlink()
    with pytest.raises(LedgerError, match="entry 1 was removed"):
        ledger.entries()


def test_heads_kept_elsewhere_are_compared(ledger):
    entries = write(ledger, intent(1), intent(2))
    assert ledger.verify({"the model s": f"1:{entries[0].hash}"}) == entries
    with pytest.raises(LedgerError, match="entry 3 is missing, which the model s names"):
        ledger.verify({"the model s": f"3:{entries[0].hash}"})
    with pytest.raises(LedgerError, match="entry 2 is not the one that the model s names"):
        ledger.verify({"the model s": f"2:{entries[0].hash}"})
    with pytest.raises(LedgerError, match="entry x is missing"):
        ledger.verify({"the model s": "x"})


def test_lost_anchors_are_said_and_restored_only_with_a_witness(ledger):
    entries = write(ledger, intent(1), intent(2))
    (ledger.path.parent / "lineage.db").unlink()
    again = Ledger(ledger.path.parent)
    with pytest.raises(LedgerError, match=r"lineage\.db holds none of its anchors"):
        again.entries()
    with pytest.raises(LedgerError, match="no registered model names entry 2"):
        again.restore_anchors({"the model s": f"1:{entries[0].hash}"})
    assert again.restore_anchors({"the model s": f"2:{entries[1].hash}"}) == entries
    assert again.entries() == entries
    with pytest.raises(LedgerError, match="nothing to restore"):
        again.restore_anchors({})


def test_a_pending_entry_is_not_yet_written_and_can_be_cancelled(ledger):
    write(ledger, intent(1))
    begun = ledger.begin(intent(2, previous=1))
    assert ledger.pending() == begun
    assert [entry.version for entry in ledger.entries()] == [1]
    assert ledger.champions_allowed("s") == [1, 2]
    ledger.cancel(begun)
    assert ledger.pending() is None
    assert ledger.champions_allowed("s") == [1]


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
