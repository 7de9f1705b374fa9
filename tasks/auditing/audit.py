"""The one check of the ledger and of the registry beside it, which `doctor` and `lineage --verify` share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from models.errors import LedgerError
from tasks.lineage.chain import State
from tasks.lineage.entries import Entry
from tasks.lineage.ledger import Ledger
from tasks.registry.recording import CHALLENGER, CHAMPION, read_heads
from tasks.registry.slot_view import Finding, view_slot
from tasks.registry.tracking import Tracking, open_tracking
from tasks.workspace.settings import TrackingPlace


class Audit(NamedTuple):
    """What was found, and the finished entries of a ledger that holds."""

    entries: list[Entry]
    findings: list[Finding]


def audit(settings: TrackingPlace) -> Audit:
    """Compare file, index and heads of the ledger, and then aliases, tags and bytes of all versions with it.

    Raises:
        ServiceError: MLflow cannot be reached.
        StorageError: a database is kept by another process.
    """
    tracking, ledger = open_tracking(settings), Ledger(settings.home)
    try:
        heads, state = _read(tracking, ledger)
    except LedgerError as error:
        return Audit([], [Finding(error.what, error.heal)])
    slots = sorted({*heads, *(entry.slot for entry in state.all if entry.action in ("promote", "rollback"))})
    return Audit(state.entries, [fault for slot in slots for fault in _audit_slot(settings, tracking, slot)])


def verify_ledger(settings: TrackingPlace) -> list[Entry]:
    """The ledger's entries, when they and the registry hold.

    Raises:
        LedgerError: names the first finding of the check.
    """
    entries, findings = audit(settings)
    if findings:
        raise LedgerError(*findings[0])
    return entries


def _read(tracking: Tracking, ledger: Ledger) -> tuple[dict[str, str | None], State]:
    """Heads and ledger at one moment: read again if a move changed them meanwhile."""
    before = ledger.read()
    while True:
        heads = read_heads(tracking)
        after = ledger.read()
        if before == after:
            return heads, ledger.check(after, heads)
        before = after


def _audit_slot(settings: TrackingPlace, tracking: Tracking, slot: str) -> Iterator[Finding]:
    view = view_slot(settings.home, tracking, slot)
    found = [*map(view.find_alias_fault, (CHAMPION, CHALLENGER)), *map(view.find_fault, view.versions)]
    yield from (fault for fault in found if fault is not None)
