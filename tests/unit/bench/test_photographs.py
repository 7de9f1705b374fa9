"""Photographs for development are found by PACKSHOT_PHOTOS alone."""

import pytest

from bench.__main__ import OF_PHOTOGRAPHS, SHORT, choose
from bench.photographs import photo_folder


def test_the_variable_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PACKSHOT_PHOTOS", str(tmp_path))
    assert photo_folder() == tmp_path
    assert choose() == SHORT + OF_PHOTOGRAPHS


@pytest.mark.parametrize(("named", "got"), [(None, "nothing"), ("", "nothing"), ("/no/such", "/no/such")])
def test_what_names_no_folder_is_refused_in_one_line(named, got, monkeypatch):
    if named is None:
        monkeypatch.delenv("PACKSHOT_PHOTOS", raising=False)
    else:
        monkeypatch.setenv("PACKSHOT_PHOTOS", named)
    with pytest.raises(SystemExit, match=rf"^error: PACKSHOT_PHOTOS: got {got}, allowed: the folder of .*\.md$"):
        photo_folder()


def test_the_bench_leaves_out_what_needs_them_and_says_what_to_set(monkeypatch, capsys):
    monkeypatch.delenv("PACKSHOT_PHOTOS", raising=False)
    assert choose() == SHORT
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "set PACKSHOT_PHOTOS" in said
