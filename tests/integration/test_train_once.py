"""A training that was done before counts only while its version is in the registry."""

from __future__ import annotations

import pytest

from flows.cli.train_once import is_registered
from tasks.workspace.records import Record, StepKey


def record(slot, version):
    key = StepKey(name="train", inputs={"data": "d" * 32})
    return Record(step=key, result={"slot": slot, "version": version}, seconds=1.0, finished="2026-01-01T00:00:00Z")


def test_a_version_that_is_there_counts(registry_settings, slot, add_version):
    assert is_registered(registry_settings, record(slot, add_version()))


@pytest.mark.parametrize(("of", "version"), [("generate-nothing", 1), (None, 9)])
def test_a_slot_or_version_that_is_lost_does_not(registry_settings, slot, add_version, of, version):
    add_version()
    assert not is_registered(registry_settings, record(of or slot, version))
