"""The check of the ledger's copies: whatever is changed, the first bad entry is named."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from models.errors import LedgerError
from tasks.lineage.chain import Broken, Row, State, check_heads, choose, compare, head_of, read_file, read_index
from tasks.lineage.entries import Entry, Intent
from tasks.lineage.ledger import extend
from tasks.lineage.signing import LedgerKey


def key_of(number: int) -> LedgerKey:
    private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return LedgerKey(private, private.public_key().public_bytes_raw().hex())


KEY, OTHER = key_of(1), key_of(2)


def chain(length: int, key: LedgerKey = KEY, slot: str = "s") -> list[Entry]:
    entries: list[Entry] = []
    for n in range(1, length + 1):
        intent = Intent(slot=slot, action="promote", version=n, previous=None, who="ann", why="because")
        entries.append(extend(entries, intent, key))
    return entries


def lines_of(entries: list[Entry]) -> list[str]:
    return [entry.line.strip() for entry in entries]


def content(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def rows(entries: list[Entry], pending: int = 0) -> list[Row]:
    return [Row(entry.n, entry.hash, entry.line, entry.n == pending) for entry in entries]


@given(
    data=st.data(),
    length=st.integers(1, 6),
    kind=st.sampled_from(["edit", "forge", "sign", "strip", "remove", "insert", "swap", "space"]),
)
def test_any_tampering_is_found_and_the_first_bad_entry_named(data, length, kind):
    entries = chain(length)
    lines = lines_of(entries)
    at = data.draw(st.integers(0, length - 1))
    if kind in ("edit", "forge", "sign", "strip"):
        entry = entries[at].model_copy(update={"signature": ""} if kind == "strip" else {"version": 99})
        if kind in ("forge", "sign"):
            entry = entry.model_copy(update={"hash": entry.digest()})
        if kind == "sign":
            entry = entry.model_copy(update={"signature": OTHER.sign(entry.hash)})
        lines[at] = entry.line.strip()
    elif kind == "remove":
        del lines[at]
    elif kind == "insert":
        lines.insert(at, lines[at])
        at += 1
    elif kind == "swap":
        lines[0], lines[-1] = lines[-1], lines[0]
        at = 0
    else:
        lines[at] += " "
    if (kind == "remove" and at == length - 1) or (kind == "swap" and length == 1):
        return  # a whole, shorter ledger: the index and the heads tell
    named = at + 2 if kind in ("forge", "sign") and at < length - 1 else at + 1
    with pytest.raises(Broken, match=f"entry ({at + 1}|{named}) "):
        read_file(content(lines), KEY)


@given(data=st.data())
def test_any_changed_character_is_found(data):
    lines = lines_of(chain(3))
    at = data.draw(st.integers(0, 2))
    place = data.draw(st.integers(0, len(lines[at]) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != lines[at][place]))
    lines[at] = lines[at][:place] + letter + lines[at][place + 1 :]
    with pytest.raises(Broken, match="entry"):
        read_file(content(lines), KEY)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"\xef\xbb\xbf" + whole,
        lambda whole: whole.replace(b"\n", b"\r\n"),
        lambda whole: whole + b"\n",
        lambda whole: whole + b"more",
        lambda whole: whole[:-1],
        lambda whole: whole[5:],
        lambda whole: b"\xff" + whole,
        lambda whole: b"[]\n",
        lambda whole: b"[" * 100_000 + b"\n",
        lambda whole: whole.replace(b'"n":1,', b'"n":1' + b"0" * 5000 + b","),
        lambda whole: whole.replace(b'"version":1', b'"version":NaN'),
        lambda whole: whole.replace(b'"version":1', b'"version":true'),
        lambda whole: whole.replace(b'"who"', b'"\\u001b]0;title"'),
    ],
)
def test_what_is_no_ledger_is_one_line_without_controls(spoil):
    with pytest.raises(Broken, match="entry") as told:
        read_file(spoil(content(lines_of(chain(2)))), KEY)
    assert str(told.value).isprintable()


def test_a_ledger_of_another_key_or_of_none_does_not_hold():
    whole = content(lines_of(chain(2)))
    with pytest.raises(Broken, match="signed by another key"):
        read_file(whole, OTHER)
    with pytest.raises(Broken, match="the key that signed entry 1 is lost"):
        read_file(whole, None)


def test_entries_that_are_not_signed_hold_once_they_were_taken_over():
    old = chain(2)
    plain: list[Entry] = []
    for entry in old:
        bare = entry.model_copy(update={"key": "", "signature": "", "hash": ""})
        bare = bare.model_copy(update={"previous_hash": plain[-1].hash if plain else "0" * 64})
        plain.append(bare.model_copy(update={"hash": bare.digest()}))
    with pytest.raises(Broken, match="entry 1 is not signed; an older version"):
        read_file(content(lines_of(plain)), KEY)
    assert read_file(content(lines_of(plain)), None, unsigned=True) == plain
    adopted = Intent(slot="*", action="adopt", version=0, previous=None, who="ann", why="mine")
    taken = [*plain, extend(plain, adopted, KEY)]
    assert read_file(content(lines_of(taken)), KEY) == taken
    moved = [*plain, extend(plain, adopted.model_copy(update={"slot": "s"}), KEY)]
    with pytest.raises(Broken, match="entry 2 is not signed, and entry 3 is"):
        read_file(content(lines_of(moved)), KEY)


@pytest.mark.parametrize("field", ["n", "hash", "line"])
def test_rows_that_were_changed_are_found(field):
    entries = chain(2)
    spoilt = rows(entries)
    spoilt[0] = spoilt[0]._replace(**{field: 7 if field == "n" else "no"})
    with pytest.raises(Broken, match="entry 1 "):
        read_index(spoilt, KEY)
    assert read_index(rows(entries, pending=2), KEY) == State(entries[:1], entries[1])
    with pytest.raises(Broken, match="entry 1 is marked as not finished"):
        read_index(rows(entries, pending=1), KEY)


def test_a_forged_pending_row_is_not_believed():
    entries = chain(1)
    ours = extend(entries, Intent(slot="s", action="promote", version=9, previous=1, who="boss", why="x"), OTHER)
    with pytest.raises(Broken, match="entry 2 was signed by another key"):
        read_index(rows([*entries, ours], pending=2), KEY)


def test_file_and_index_must_be_equal():
    entries = chain(3)
    fork = [*entries[:2], extend(entries[:2], Intent(**{**dict(_intent(entries[0])), "version": 9}), KEY)]
    assert compare(entries, State(entries)).entries == entries
    assert compare(entries, State(entries[:2], entries[2])).pending is None
    assert compare(entries[:2], State(entries[:2], entries[2])).pending == entries[2]
    for file, index, told, heal in (
        (entries[:2], State(entries), "entry 3 was removed", "--restore"),
        (entries, State(entries[:2]), "entry 3 is in the file and not in the index", "--restore"),
        (entries, State([]), "lineage.db holds none", "--restore"),
        (Broken("bad"), State(entries), "bad", "--restore"),
        (entries, Broken("bad"), "bad", "--restore"),
        (Broken("bad"), Broken("worse"), "bad", "--adopt"),
        (Broken("bad"), State([]), "bad", "--adopt"),
        (entries, State(fork), "entry 3 was replaced", "--adopt"),
    ):
        with pytest.raises(LedgerError, match=f"{told}.*{heal}"):
            compare(file, index)
        if heal == "--restore":
            assert choose(file, index) == entries
        else:
            with pytest.raises(LedgerError, match="--adopt"):
                choose(file, index)


def _intent(entry: Entry) -> Intent:
    return Intent(**{name: getattr(entry, name) for name in Intent.model_fields})


def test_a_head_must_be_the_slots_last_entry_and_signed():
    entries = chain(3)
    state = State(entries[:2], entries[2])
    for good in (entries[1], entries[2]):
        check_heads(state, {"s": head_of(KEY, good), "unknown": None, "foreign": "4:abc:def"}, KEY)
    later = extend(entries, _intent(entries[0]), KEY)
    for head, told, heal in (
        (None, "names no entry", "--restore"),
        ("", "names a forged entry", "--restore"),
        (f"2:{entries[1].hash}", "names a forged entry", "--restore"),
        (head_of(OTHER, entries[1]), "names a forged entry", "--restore"),
        (head_of(KEY, entries[1].model_copy(update={"slot": "t"})), "names a forged entry", "--restore"),
        ("9" * 5000, "names a forged entry", "--restore"),
        (head_of(KEY, entries[0]), "names an older entry", "--restore"),
        (head_of(KEY, later), "entry 4 is missing", "--adopt"),
    ):
        with pytest.raises(LedgerError, match=f"{told}.*{heal}"):
            check_heads(state, {"s": head}, KEY)
