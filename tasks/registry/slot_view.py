"""A slot as the registry shows it, beside what the ledger says of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from models.errors import RegistryError
from tasks.lineage.chain import RESTORE, State
from tasks.lineage.entries import Witness, challenger, champions, previous_champion
from tasks.lineage.ledger import Ledger
from tasks.lineage.signing import ADOPT
from tasks.registry.recording import CHALLENGER, CHAMPION
from tasks.registry.tracking import Tracking
from tasks.registry.versions import VersionSummary, search_versions
from tasks.registry.witnesses import Unlike, Unwitnessed, check_version


class Finding(NamedTuple):
    """What is not as the ledger says, and the one command that mends it."""

    what: str
    heal: str

    @property
    def text(self) -> str:
        """Both, in one line."""
        return f"{self.what}; to mend it: {self.heal}"


class SlotView(NamedTuple):
    """The versions of a slot, and the ledger, read at one moment."""

    home: Path
    tracking: Tracking
    state: State
    slot: str
    versions: list[VersionSummary]

    def check(self, version: VersionSummary) -> tuple[Witness, Path]:
        """What the version is and the folder of its files; see `check_version`."""
        return check_version(self.home, self.tracking, self.state.all, version)

    def find_fault(self, version: VersionSummary) -> Finding | None:
        """What is wrong with a version; None when nothing is, or when it was withdrawn."""
        try:
            self.check(version)
        except Unlike as error:
            is_champion = champions(self.state.entries, self.slot)[-1:] == [version.version]
            return Finding(str(error), self.mend_champion() if is_champion and not error.in_tags else RESTORE)
        except Unwitnessed as error:
            return None if error.withdrawn else Finding(str(error), ADOPT)
        return None

    def find_alias_fault(self, alias: str) -> Finding | None:
        """What is wrong with an alias; None when nothing is."""
        named = {self.expected(alias), self.expected(alias, with_pending=True)}
        found = next((version.version for version in self.versions if alias in version.aliases), None)
        if found in named:
            return None
        wanted = next((version for version in named if version is not None), None)
        if found is None:
            is_deleted = wanted not in [version.version for version in self.versions]
            what = f"{self.slot} has no {alias} in the registry, though the ledger names version {wanted}"
            if not is_deleted:
                return Finding(f"{what}: the alias was deleted", RESTORE)
            return Finding(f"{what}: it was deleted", self.mend_champion() if alias == CHAMPION else RESTORE)
        told = f"has no {alias}" if wanted is None else f"names version {wanted}"
        what = f"{alias} of {self.slot} is version {found} in the registry, but the ledger {told}"
        return Finding(f"{what}: it was moved outside Packshot", RESTORE)

    def expected(self, alias: str, *, with_pending: bool = False) -> int | None:
        """The version that the ledger says has the alias."""
        entries = self.state.all if with_pending else self.state.entries
        if alias == CHALLENGER:
            return challenger(entries, self.slot)
        return next(iter(champions(entries, self.slot)[-1:]), None)

    def mend_champion(self) -> str:
        """The command that replaces a champion whose files are gone or forged: by the one before it if that holds."""
        before = previous_champion(self.state.entries, self.slot)
        found = next((version for version in self.versions if version.version == before), None)
        try:
            sound = found is not None and bool(self.check(found))
        except RegistryError:
            sound = False
        return f"packshot rollback {self.slot}" if sound else RESTORE


def view_slot(home: Path, tracking: Tracking, slot: str) -> SlotView:
    """The slot and the ledger at one moment: read again if the ledger changed meanwhile.

    Raises:
        LedgerError: the ledger does not hold.
    """
    ledger = Ledger(home)
    before = ledger.read()
    while True:
        versions = search_versions(tracking, slot)
        after = ledger.read()
        if before == after:
            return SlotView(home, tracking, after, slot, versions)
        before = after
