"""Files written whole."""

from models.files import write_whole


def test_a_file_is_replaced_in_one_move(tmp_path):
    path = tmp_path / "history.csv"
    write_whole(path, b"old")
    before = path.stat().st_ino
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_ino != before
