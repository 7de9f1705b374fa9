"""Moves of a slot's champion and challenger: each is recorded in the ledger, and a crash midway is repaired."""

from __future__ import annotations

from collections.abc import Mapping

from models.errors import RegistryError
from tasks.lineage.entries import Action, Intent, champions, previous_champion
from tasks.lineage.ledger import Ledger
from tasks.registry.loading import load_version
from tasks.registry.recording import ALIASES, CHALLENGER, CHAMPION, REASON_TAG, Recorder, recording
from tasks.registry.versions import VersionSummary, list_versions
from tasks.workspace.settings import TrackingPlace

ANY = -1
"""Means any champion, or none."""
VERBS: dict[str, str] = {"promote": "promoted", "rollback": "rolled back to", "challenge": "waits as challenger:"}


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
    with recording(settings) as recorder:
        chosen = load_version(settings, slot, CHALLENGER if version is None else version)
        number, now, shown = chosen.version, _champion_now(recorder.ledger, slot, over), dict(figures or {})
        intent = Intent(
            slot=slot,
            action="promote",
            version=number,
            previous=now,
            who=who,
            why=why,
            figures=shown,
            model=chosen.witness,
        )
        if now == number and CHAMPION in chosen.aliases:
            return Move(**dict(intent), n=None)
        return _move(recorder, intent)


def restore_champion(settings: TrackingPlace, slot: str, who: str, why: str) -> Move:
    """Restore the previous champion, according to the ledger.

    Raises:
        RegistryError: there was no champion before, or its version or file is gone.
        LedgerError: the ledger failed its check; nothing was moved.
    """
    with recording(settings) as recorder:
        list_versions(settings, slot)
        entries = recorder.ledger.entries()
        target = previous_champion(entries, slot)
        if target is None:
            champion = ", ".join(str(version) for version in champions(entries, slot)) or "none"
            raise RegistryError(
                f"{slot}: the ledger has no champion before this one (champion: {champion}); see packshot models"
            )
        chosen = load_version(settings, slot, target)
        now = recorder.ledger.champion(slot)
        intent = Intent(
            slot=slot, action="rollback", version=target, previous=now, who=who, why=why, model=chosen.witness
        )
        return _move(recorder, intent)


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
    with recording(settings) as recorder:
        chosen = load_version(settings, slot, version)
        _champion_now(recorder.ledger, slot, over)
        before, shown = challenger_of(settings, slot), dict(figures or {})
        now = None if before is None else before.version
        intent = Intent(
            slot=slot,
            action="challenge",
            version=version,
            previous=now,
            who=who,
            why=why,
            figures=shown,
            model=chosen.witness,
        )
        if now == version and chosen.tags.get(REASON_TAG) == why:
            return Move(**dict(intent), n=None)
        return _move(recorder, intent)


def challenger_of(settings: TrackingPlace, slot: str) -> VersionSummary | None:
    """The slot's challenger, or None."""
    return next((v for v in list_versions(settings, slot) if CHALLENGER in v.aliases), None)


def _champion_now(ledger: Ledger, slot: str, over: int | None) -> int | None:
    now = ledger.champion(slot)
    if over not in (ANY, now):
        words = ["none" if version is None else f"version {version}" for version in (over, now)]
        raise ChampionMoved(f"{slot}: judged against champion {words[0]}, but {words[1]} is the champion by now")
    return now


def _move(recorder: Recorder, intent: Intent) -> Move:
    entry = recorder.record(intent)
    return Move(**dict(intent), n=entry.n)


def _alias(action: Action) -> str:
    return ALIASES[action]
