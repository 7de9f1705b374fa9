"""`lineage --restore`: file, index, heads, tags and aliases made again what the ledger says."""

from __future__ import annotations

from models.errors import LedgerError
from tasks.lineage.chain import RESTORE, check_heads
from tasks.lineage.entries import WHOLE, Entry, Intent, find_witness
from tasks.lineage.ledger import Ledger
from tasks.lineage.signing import find_key
from tasks.registry.recording import (
    CHALLENGER,
    CHAMPION,
    LOCK_SECONDS,
    Recorder,
    read_heads,
    recording,
    set_head,
)
from tasks.registry.slot_view import SlotView, view_slot
from tasks.registry.tracking import Tracking, open_tracking, service_errors
from tasks.registry.versions import VersionSummary, search_slots, search_versions
from tasks.registry.witnesses import WRITTEN_LATER
from tasks.workspace.settings import TrackingPlace
from tasks.workspace.storage import locked


def restore_ledger(settings: TrackingPlace, who: str) -> list[Entry]:
    """Make file, index, heads, tags and aliases what the ledger says, and withdraw versions that are not what it says.

    Raises:
        LedgerError: neither file nor index holds, or both are older than what a registered model names.
    """
    ledger, tracking = Ledger(settings.home), open_tracking(settings)
    with locked(ledger.lock, LOCK_SECONDS, "moving a champion"):
        ledger.restore()
        _restore_heads(settings, tracking, ledger)
    with recording(settings) as recorder:
        slots = {*search_slots(tracking), *(e.slot for e in ledger.entries() if e.slot != WHOLE)}
        for slot in sorted(slots):
            _restore_slot(settings, recorder, slot, who)
    return ledger.entries()


def _restore_heads(settings: TrackingPlace, tracking: Tracking, ledger: Ledger) -> None:
    state, key = ledger.read(), find_key(settings.home)
    for slot, head in read_heads(tracking).items():
        try:
            check_heads(state, {slot: head}, key)
        except LedgerError as error:
            if error.heal != RESTORE:
                raise
            with service_errors(tracking.uri):
                set_head(tracking, ledger, [entry for entry in state.entries if entry.slot == slot][-1])


def _restore_slot(settings: TrackingPlace, recorder: Recorder, slot: str, who: str) -> None:
    for version in search_versions(recorder.tracking, slot):
        _restore_tags(recorder, version)
    for version in view_slot(settings.home, recorder.tracking, slot).versions:
        fault = view_slot(settings.home, recorder.tracking, slot).find_fault(version)
        if fault is not None and fault.heal == RESTORE:
            recorder.record(withdrawal(slot, version.version, who, fault.what))
    for alias in (CHAMPION, CHALLENGER):
        _restore_alias(recorder, view_slot(settings.home, recorder.tracking, slot), alias, who)


def _restore_tags(recorder: Recorder, version: VersionSummary) -> None:
    witness = find_witness(recorder.ledger.entries(), version.slot, version.version)
    for tag, value in (witness.tags if witness else {}).items():
        if version.tags.get(tag) != value and tag not in WRITTEN_LATER:
            with service_errors(recorder.tracking.uri):
                recorder.tracking.client.set_model_version_tag(version.slot, str(version.version), tag, value)


def _restore_alias(recorder: Recorder, view: SlotView, alias: str, who: str) -> None:
    """Give the alias to the version that the ledger names; one that was deleted is withdrawn."""
    fault = view.find_alias_fault(alias)
    if fault is None or fault.heal != RESTORE:
        return
    wanted = view.expected(alias)
    if wanted is not None and wanted not in [version.version for version in view.versions]:
        recorder.record(withdrawal(view.slot, wanted, who, fault.what))
        _restore_alias(recorder, view_slot(view.home, view.tracking, view.slot), alias, who)
        return
    client = recorder.tracking.client
    with service_errors(recorder.tracking.uri):
        if wanted is None:
            client.delete_registered_model_alias(view.slot, alias)
        else:
            client.set_registered_model_alias(view.slot, alias, str(wanted))


def withdrawal(slot: str, version: int, who: str, why: str) -> Intent:
    """The entry after which a version is served no more."""
    return Intent(slot=slot, action="withdraw", version=version, previous=None, who=who, why=why)
