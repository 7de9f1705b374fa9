"""What the ledger says of versions and aliases."""

from __future__ import annotations

from tasks.lineage.entries import Entry, Witness, challenger, champions, find_witness, previous_champion

WITNESS = Witness(run_id="r", files={"model.onnx": "0" * 64}, tags={"family": "dcgan"})


def entry(n: int, action: str, version: int, witness: Witness | None = None) -> Entry:
    return Entry(
        slot="s", action=action, version=version, previous=None, who="ann", why="", n=n, time="", previous_hash="",
        witness=witness,
    )  # fmt: skip


def tell(*told: tuple[str, int]) -> list[Entry]:
    return [entry(n, action, version) for n, (action, version) in enumerate(told, start=1)]


def test_a_number_that_is_registered_again_is_another_version():
    entries = tell(("promote", 1), ("promote", 2), ("register", 2))
    assert champions(entries, "s") == [1]
    assert champions(tell(("promote", 1), ("adopt", 1)), "s") == [1]


def test_a_withdrawn_champion_gives_way_and_a_rollback_at_the_start_is_no_error():
    assert champions(tell(("promote", 1), ("promote", 2), ("withdraw", 2)), "s") == [1]
    assert champions(tell(("rollback", 3)), "s") == [3]
    assert previous_champion(tell(("rollback", 3)), "s") is None


def test_the_challenger_is_the_last_that_became_nothing_else():
    assert challenger(tell(("challenge", 1), ("challenge", 2)), "s") == 2
    assert challenger(tell(("challenge", 2), ("promote", 1)), "s") == 2
    for end in ("promote", "withdraw", "register"):
        assert challenger(tell(("challenge", 2), (end, 2)), "s") is None


def test_the_last_witness_counts_until_it_is_withdrawn():
    entries = [entry(1, "register", 1, WITNESS)]
    assert find_witness(entries, "s", 1) == WITNESS
    assert find_witness(entries, "s", 2) is None
    assert find_witness([*entries, entry(2, "withdraw", 1)], "s", 1) is None


def test_fields_of_this_version_are_not_in_the_hash_of_older_entries():
    old = entry(1, "promote", 1)
    assert not {"witness", "model", "key", "signature"} & set(Entry.model_validate_json(old.line).model_fields_set)
    assert entry(1, "register", 1, WITNESS).digest() != entry(1, "register", 1).digest()
    assert WITNESS.digest != WITNESS.model_copy(update={"run_id": "other"}).digest
