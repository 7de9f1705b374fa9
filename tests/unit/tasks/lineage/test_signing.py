"""The installation's key: made once, for its owner alone under any umask, and never replaced in silence."""

from __future__ import annotations

import os

import pytest

from models.errors import LedgerError
from tasks.lineage.signing import FILE, find_key, make_key


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    return tmp_path / "home"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277, 0o777])
def test_it_is_made_once_with_mode_600_under_any_umask(home, umask):
    (home / "locks").mkdir()
    before = os.umask(umask)
    try:
        made = make_key(home)
    finally:
        os.umask(before)
    assert (home / FILE).stat().st_mode & 0o777 == 0o600
    assert make_key(home).public == made.public == find_key(home).public


def test_it_signs_and_knows_its_signatures(home, tmp_path):
    key = make_key(home)
    (tmp_path / "other").mkdir(mode=0o700)
    other = make_key(tmp_path / "other")
    assert key.signed("a", key.sign("a"))
    for text, signature in (("b", key.sign("a")), ("a", other.sign("a")), ("a", ""), ("a", "zz"), ("a", "00" * 64)):
        assert not key.signed(text, signature)


def test_none_is_none(home):
    assert find_key(home) is None


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff\xfe", b"00" * 31, b"zz" * 32])
def test_what_is_no_key_is_said(home, content):
    make_key(home)
    (home / FILE).write_bytes(content)
    with pytest.raises(LedgerError, match=r"ledger\.key .*put it back from a copy.*--adopt"):
        find_key(home)


def test_one_that_others_may_read_or_replace_is_not_used(home):
    make_key(home)
    (home / FILE).chmod(0o644)
    with pytest.raises(LedgerError, match=r"may read .*ledger\.key.*chmod 600"):
        find_key(home)
    (home / FILE).chmod(0o600)
    home.chmod(0o777)
    with pytest.raises(LedgerError, match=r"may replace .*ledger\.key.*chmod 700"):
        find_key(home)


def test_a_home_that_a_group_may_write_is_closed_before_the_key_is_made(home):
    home.chmod(0o775)
    made = make_key(home)
    assert (home.stat().st_mode & 0o777, find_key(home).public) == (0o700, made.public)
