"""Entries of the ledger as they are carried out in the registry, with what each registered model names as its last one.

An entry is carried out under one lock: (1) it is written to the index as pending, (2) the registry's aliases, tags and
head are set, (3) its line is written. After a crash between (1) and (3) the next entry first repeats (2) and (3), which
is safe. An entry that the registry refuses is cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from models.errors import RegistryError
from tasks.lineage.chain import head_of
from tasks.lineage.entries import Entry, Intent
from tasks.lineage.ledger import Ledger
from tasks.registry.tracking import Tracking, open_tracking, service_errors
from tasks.workspace.settings import TrackingPlace
from tasks.workspace.storage import locked

CHAMPION = "champion"
CHALLENGER = "challenger"
HEAD_TAG = "packshot.ledger_head"
REASON_TAG = "gate.reason"
LOCK_SECONDS = 600.0
ALIASES = {"promote": CHAMPION, "rollback": CHAMPION, "challenge": CHALLENGER}


class Recorder(NamedTuple):
    """The ledger, locked and checked, and the registry that its entries are carried out in."""

    ledger: Ledger
    tracking: Tracking

    def record(self, intent: Intent) -> Entry:
        """Write an entry and carry it out.

        Raises:
            RegistryError: the registry refused it; nothing was moved.
        """
        entry = self.ledger.begin(intent)
        self.carry_out(entry)
        return entry

    def carry_out(self, entry: Entry) -> None:
        """Set aliases, tags and head, and finish the entry; if the version is gone, cancel it and move nothing."""
        from mlflow.exceptions import MlflowException

        try:
            with service_errors(self.tracking.uri):
                _set_aliases(self.tracking, entry)
                set_head(self.tracking, self.ledger, entry)
        except MlflowException as error:
            self.ledger.cancel(entry)
            raise RegistryError(f"{entry.slot} version {entry.version} cannot be moved: {error.message}") from error
        self.ledger.finish(entry)


@contextmanager
def recording(settings: TrackingPlace) -> Iterator[Recorder]:
    """Hold the ledger, after checking all of it and finishing what a crash interrupted.

    Raises:
        LedgerError: the ledger does not hold; nothing is written.
    """
    with _held(settings) as recorder:
        _finish_pending(recorder)
        yield recorder


def repair(settings: TrackingPlace) -> Entry | None:
    """Finish a move that a crash interrupted; returns its entry, or None when there was none."""
    with _held(settings) as recorder:
        return _finish_pending(recorder)


@contextmanager
def _held(settings: TrackingPlace) -> Iterator[Recorder]:
    ledger = Ledger(settings.home)
    with locked(ledger.lock, LOCK_SECONDS, "moving a champion"):
        yield Recorder(ledger, open_tracking(settings))


def _finish_pending(recorder: Recorder) -> Entry | None:
    pending = recorder.ledger.verify(read_heads(recorder.tracking)).pending
    if pending is not None:
        recorder.carry_out(pending)
    return pending


def read_heads(tracking: Tracking) -> dict[str, str | None]:
    """What each registered model names as its slot's last entry."""
    with service_errors(tracking.uri):
        models = tracking.client.search_registered_models(max_results=1000)
    return {model.name: model.tags.get(HEAD_TAG) for model in models}


def set_head(tracking: Tracking, ledger: Ledger, entry: Entry) -> None:
    """Have the registered model name `entry` as its slot's last one."""
    tracking.client.set_registered_model_tag(entry.slot, HEAD_TAG, head_of(ledger.key(), entry))


def _set_aliases(tracking: Tracking, entry: Entry) -> None:
    alias = ALIASES.get(entry.action)
    if entry.action == "withdraw":
        _drop_aliases(tracking, entry, (CHAMPION, CHALLENGER))
    if alias is None:
        return
    client, version = tracking.client, str(entry.version)
    client.set_registered_model_alias(entry.slot, alias, version)
    client.set_model_version_tag(entry.slot, version, REASON_TAG, entry.why)
    if entry.action == "rollback" and entry.previous is not None:
        _tag_if_there(tracking, entry)
    if alias == CHAMPION:
        _drop_challenger(tracking, entry)


def _drop_challenger(tracking: Tracking, entry: Entry) -> None:
    """Remove the challenger alias from a version that became champion."""
    _drop_aliases(tracking, entry, (CHALLENGER,))


def _drop_aliases(tracking: Tracking, entry: Entry, names: tuple[str, ...]) -> None:
    aliases = tracking.client.get_registered_model(entry.slot).aliases
    for name in names:
        if str(aliases.get(name)) == str(entry.version):
            tracking.client.delete_registered_model_alias(entry.slot, name)


def _tag_if_there(tracking: Tracking, entry: Entry) -> None:
    """Tag the rolled-back version with the reason; it may have been deleted, which is a reason to roll back."""
    there = tracking.client.search_model_versions(f"name = '{entry.slot}'", max_results=10_000)
    if any(int(found.version) == entry.previous for found in there):
        reason = f"rolled back to version {entry.version}: {entry.why}"
        tracking.client.set_model_version_tag(entry.slot, str(entry.previous), REASON_TAG, reason)
