"""A version beside what the ledger says of it."""

from __future__ import annotations

import os

import pytest

from tasks.lineage.entries import Witness
from tasks.registry.versions import VersionSummary
from tasks.registry.witnesses import list_files, witnessed_tags
from tasks.workspace.storage import digest_file


def test_all_files_have_a_digest_and_what_is_no_file_has_none(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er" / "file")
    (tmp_path / "folder").symlink_to(tmp_path / "deep")
    os.mkfifo(tmp_path / "pipe")
    found = list_files(tmp_path)
    assert found.pop("deep/er/file") == digest_file(tmp_path / "deep" / "er" / "file")
    assert found == {"folder": "", "link": "", "pipe": ""}
    assert list_files(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("name", ["gate.reason", "latency_ms", "memory_mb"])
def test_tags_are_the_ledgers_and_those_that_packshot_writes_later(name):
    tags = {"family": "dcgan", "licence": "forged", name: "1"}
    version = VersionSummary("s", 1, "r", tags, (), "", created=1)
    assert witnessed_tags(version, Witness(run_id="r", files={}, tags={"family": "vae"})) == {
        "family": "vae",
        name: "1",
    }
