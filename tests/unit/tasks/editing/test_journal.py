"""The journal of a batch: what was added is found again, also by the next process, also after half a line."""

from tasks.editing.journal import Asked, Entry, Journal
from tasks.editing.table import Row


def entry(key, name="a.jpg"):
    row = Row(input=name, output=name + ".png", status="edited", input_sha256="1" * 64, product_ssim=0.987)
    network = Asked(slot="upscale-x2", family=None, version=3)
    return Entry(key=key, row=row, networks=(network,), software="packshot 0.1.0", created="2026-01-01T00:00:00Z")


def test_entries_come_back_and_the_last_of_a_key_counts(tmp_path):
    with Journal(tmp_path / "deep" / "journal.jsonl") as journal:
        for one in (entry("a"), entry("b", "é 包.jpg"), entry("a", "c.jpg")):
            journal.add(one)
        assert journal.find("b") == entry("b", "é 包.jpg")
        assert journal.find("nothing") is None
    with Journal(tmp_path / "deep" / "journal.jsonl") as journal:
        assert journal.find("a") == entry("a", "c.jpg")
        assert journal.outputs == {name: name + ".png" for name in ("a.jpg", "é 包.jpg", "c.jpg")}


def test_half_a_line_is_cut_off_and_written_again(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(entry("a"))
        journal.add(entry("b"))
    whole = path.read_bytes()
    for cut in (1, 40, len(whole) // 2 - 1):
        path.write_bytes(whole[:-cut])
        with Journal(path) as journal:
            assert (journal.find("a"), journal.find("b")) == (entry("a"), None)
            journal.add(entry("b"))
            assert journal.find("b") == entry("b")
        assert path.read_bytes() == whole
