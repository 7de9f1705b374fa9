"""Moves of a slot's champion and challenger: each is recorded in the ledger, and a crash midway is repaired.

A move runs under one lock: (1) the entry is anchored as pending, (2) the registry's aliases and tags are set, (3) the
entry's line is written and its hash put on the registered model. After a crash between (1) and (3) the next move, or
`repair`, first repeats (2) and (3), which is safe. A move that the registry refuses is cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from models.errors import RegistryError
from tasks.lineage.ledger import Action, Entry, Intent, Ledger, champions, previous_champion
from tasks.registry.register import CHALLENGER, CHAMPION, VersionSummary, list_slots, list_versions, load_version
from tasks.registry.tracking import Tracking, open_tracking, service_errors
from tasks.workspace.settings import TrackingPlace
from tasks.workspace.storage import locked

HEAD_TAG = "packshot.ledger_head"
REASON_TAG = "gate.reason"
LOCK_SECONDS = 600.0
ANY = -1
"""Means any champion, or none."""
VERBS: dict[Action, str] = {"promote": "promoted", "rollback": "rolled back to", "challenge": "waits as challenger:"}


class ChampionMoved(RegistryError):
    """The champion changed since the version was judged against it; nothing was moved."""


class Move(Intent):
    """What a promotion, rollback or challenge changed; `n` is the ledger's entry, None when there was nothing to do."""

    n: int | None

    @property
    def changed(self) -> bool:
        """False when the version already had the alias."""
        return self.n is not None

    @property
    def text(self) -> str:
        """One line for people."""
        if not self.changed:
            return f"{self.slot}: version {self.version} is the {_alias(self.action)} already, nothing changed"
        before = f", before: version {self.previous}" if self.previous is not None else ""
        entry = f"ledger entry {self.n}, {self.who}: {self.why}"
        return f"{self.slot}: {VERBS[self.action]} version {self.version}{before} ({entry})"


def make_champion(
    settings: TrackingPlace,
    slot: str,
    version: int | None,
    *,
    who: str,
    why: str,
    figures: Mapping[str, float] | None = None,
    over: int | None = ANY,
) -> Move:
    """Make `version` (the challenger, when None) the slot's champion; `over` is the champion it was judged against.

    Raises:
        ChampionMoved: the champion is no longer `over`.
        RegistryError: there is no such version or no challenger, or its file is lost or changed.
        LedgerError: the ledger failed its check; nothing was moved.
    """
    with _moving(settings) as (ledger, tracking):
        chosen = load_version(settings, slot, CHALLENGER if version is None else version)
        number, now, shown = chosen.version, _champion_now(ledger, slot, over), dict(figures or {})
        intent = Intent(slot=slot, action="promote", version=number, previous=now, who=who, why=why, figures=shown)
        if now == number and CHAMPION in chosen.aliases:
            return Move(**intent.model_dump(), n=None)
        return _move(ledger, tracking, intent)


def restore_champion(settings: TrackingPlace, slot: str, who: str, why: str) -> Move:
    """Restore the previous champion, according to the ledger.

    Raises:
        RegistryError: there was no champion before, or its version or file is gone.
        LedgerError: the ledger failed its check; nothing was moved.
    """
    with _moving(settings) as (ledger, tracking):
        list_versions(settings, slot)
        entries = ledger.entries()
        target = previous_champion(entries, slot)
        if target is None:
            champion = ", ".join(str(version) for version in champions(entries, slot)) or "none"
            raise RegistryError(
                f"{slot}: the ledger has no champion before this one (champion: {champion}); see packshot models"
            )
        load_version(settings, slot, target)
        now = ledger.champion(slot)
        intent = Intent(slot=slot, action="rollback", version=target, previous=now, who=who, why=why)
        return _move(ledger, tracking, intent)


def set_challenger(
    settings: TrackingPlace,
    slot: str,
    version: int,
    *,
    who: str,
    why: str,
    figures: Mapping[str, float] | None = None,
    over: int | None = ANY,
) -> Move:
    """Make `version` the challenger, with `why` on it as its tag `gate.reason`; `over` as in `make_champion`.

    Raises:
        ChampionMoved: the champion is no longer `over`.
        RegistryError: there is no such version.
        LedgerError: the ledger failed its check; nothing was moved.
    """
    with _moving(settings) as (ledger, tracking):
        chosen = load_version(settings, slot, version)
        _champion_now(ledger, slot, over)
        before, shown = challenger_of(settings, slot), dict(figures or {})
        now = None if before is None else before.version
        intent = Intent(slot=slot, action="challenge", version=version, previous=now, who=who, why=why, figures=shown)
        if now == version and chosen.tags.get(REASON_TAG) == why:
            return Move(**intent.model_dump(), n=None)
        return _move(ledger, tracking, intent)


def challenger_of(settings: TrackingPlace, slot: str) -> VersionSummary | None:
    """The slot's challenger, or None."""
    return next((v for v in list_versions(settings, slot) if CHALLENGER in v.aliases), None)


def repair(settings: TrackingPlace) -> Entry | None:
    """Finish a move that a crash interrupted; returns its entry, or None when there was none."""
    with locked(Ledger(settings.home).lock, LOCK_SECONDS, "moving a champion"):
        return _finish_pending(Ledger(settings.home), open_tracking(settings))


def verify_ledger(settings: TrackingPlace) -> list[Entry]:
    """Check the ledger against its own chain, its anchors, and the heads stored on the registered models.

    Raises:
        LedgerError: names the first entry that was edited, removed, inserted or moved.
    """
    return Ledger(settings.home).verify(_heads(settings))


def restore_ledger(settings: TrackingPlace) -> list[Entry]:
    """Anchor the ledger again after `lineage.db` was lost, trusting the heads on the registered models.

    Raises:
        LedgerError: the file failed its check, or the heads do not name its last entry.
    """
    ledger = Ledger(settings.home)
    with locked(ledger.lock, LOCK_SECONDS, "moving a champion"):
        return ledger.restore_anchors(_heads(settings))


def _heads(settings: TrackingPlace) -> dict[str, str]:
    """The ledger's head as stored on each registered model at its slot's last move."""
    tracking, heads = open_tracking(settings), {}
    for slot in list_slots(settings):
        with service_errors(tracking.uri):
            head = tracking.client.get_registered_model(slot).tags.get(HEAD_TAG)
        if head:
            heads[f"the registered model {slot}"] = head
    return heads


@contextmanager
def _moving(settings: TrackingPlace) -> Iterator[tuple[Ledger, Tracking]]:
    ledger = Ledger(settings.home)
    with locked(ledger.lock, LOCK_SECONDS, "moving a champion"):
        tracking = open_tracking(settings)
        _finish_pending(ledger, tracking)
        yield ledger, tracking


def _champion_now(ledger: Ledger, slot: str, over: int | None) -> int | None:
    now = ledger.champion(slot)
    if over not in (ANY, now):
        words = ["none" if version is None else f"version {version}" for version in (over, now)]
        raise ChampionMoved(f"{slot}: judged against champion {words[0]}, but {words[1]} is the champion by now")
    return now


def _finish_pending(ledger: Ledger, tracking: Tracking) -> Entry | None:
    entry = ledger.pending()
    if entry is not None:
        _apply_or_cancel(ledger, tracking, entry)
    return entry


def _move(ledger: Ledger, tracking: Tracking, intent: Intent) -> Move:
    entry = ledger.begin(intent)
    _apply_or_cancel(ledger, tracking, entry)
    return Move(**intent.model_dump(), n=entry.n)


def _apply_or_cancel(ledger: Ledger, tracking: Tracking, entry: Entry) -> None:
    """Move the registry's alias and finish the entry; if the version is gone, cancel the entry and move nothing."""
    from mlflow.exceptions import MlflowException

    try:
        with service_errors(tracking.uri):
            _set_aliases(tracking, entry)
    except MlflowException as error:
        ledger.cancel(entry)
        raise RegistryError(f"{entry.slot} version {entry.version} cannot be moved: {error.message}") from error
    ledger.finish(entry)
    with service_errors(tracking.uri):
        tracking.client.set_registered_model_tag(entry.slot, HEAD_TAG, f"{entry.n}:{entry.hash}")


def _set_aliases(tracking: Tracking, entry: Entry) -> None:
    client, version = tracking.client, str(entry.version)
    client.set_registered_model_alias(entry.slot, _alias(entry.action), version)
    client.set_model_version_tag(entry.slot, version, REASON_TAG, entry.why)
    if entry.action == "rollback" and entry.previous is not None:
        _tag_if_there(tracking, entry)
    if entry.action != "challenge":
        _drop_challenger(tracking, entry)


def _drop_challenger(tracking: Tracking, entry: Entry) -> None:
    """Remove the challenger alias from a version that became champion."""
    aliases = tracking.client.get_registered_model(entry.slot).aliases
    if str(aliases.get(CHALLENGER)) == str(entry.version):
        tracking.client.delete_registered_model_alias(entry.slot, CHALLENGER)


def _tag_if_there(tracking: Tracking, entry: Entry) -> None:
    """Tag the rolled-back version with the reason; it may have been deleted, which is a reason to roll back."""
    there = tracking.client.search_model_versions(f"name = '{entry.slot}'", max_results=10_000)
    if any(int(found.version) == entry.previous for found in there):
        reason = f"rolled back to version {entry.version}: {entry.why}"
        tracking.client.set_model_version_tag(entry.slot, str(entry.previous), REASON_TAG, reason)


def _alias(action: Action) -> str:
    return CHALLENGER if action == "challenge" else CHAMPION
