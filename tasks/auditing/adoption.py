"""`lineage --adopt`: a person takes over what nothing vouches for, in an entry that says who took over what."""

from __future__ import annotations

from models.errors import InputError, LedgerError
from tasks.auditing.healing import withdrawal
from tasks.lineage.entries import WHOLE, Entry, Intent, Witness, find_witness
from tasks.lineage.ledger import Ledger, extend
from tasks.lineage.signing import ADOPT, FILE, LedgerKey, find_key, make_key
from tasks.registry.model_folder import ONNX_FILE, find_folder, load_onnx
from tasks.registry.recording import CHAMPION, HEAD_TAG, LOCK_SECONDS, Recorder, read_heads, recording, set_head
from tasks.registry.slot_view import view_slot
from tasks.registry.tracking import Tracking, open_tracking, service_errors
from tasks.registry.versions import VersionSummary, search_slots
from tasks.registry.witnesses import WRITTEN_LATER, list_files
from tasks.workspace.settings import TrackingPlace
from tasks.workspace.storage import locked, set_aside


def adopt_ledger(settings: TrackingPlace, who: str) -> list[Entry]:
    """Take over a ledger of an older version, one that cannot be restored, and versions that it knows nothing of.

    Entries that are not signed are kept. A ledger that cannot be read is kept beside the new one, which begins with the
    champions of the registry. A version whose file is not what its tags say is withdrawn. Returns what was written.

    Raises:
        LedgerError: the ledger can be restored, or its key is open to other accounts.
    """
    ledger, tracking = Ledger(settings.home), open_tracking(settings)
    with locked(ledger.lock, LOCK_SECONDS, "moving a champion"):
        started, is_new = _begin(settings, ledger, tracking, who)
    with recording(settings) as recorder:
        before = len(recorder.ledger.entries()) - started
        for slot in search_slots(tracking):
            _adopt_slot(settings, recorder, slot, who)
            if is_new:
                _adopt_champion(settings, recorder, slot, who)
        return recorder.ledger.entries()[before:]


def _begin(settings: TrackingPlace, ledger: Ledger, tracking: Tracking, who: str) -> tuple[int, bool]:
    """Begin a ledger that does not hold anew: how many entries were written, and whether none were kept."""
    try:
        ledger.verify(read_heads(tracking))
    except LedgerError as error:
        if error.heal != ADOPT:
            raise
        problem = error.what
    else:
        return 0, False
    key, kept = _usable_key(settings), ledger.keep()
    why = f"took over {len(kept)} entries, head {kept[-1].hash}" if kept else "began anew"
    told = Intent(slot=WHOLE, action="adopt", version=0, previous=None, who=who, why=f"{why}: {problem}")
    entries = [*kept, extend(kept, told, key)]
    ledger.begin_anew(entries)
    for slot in search_slots(tracking):
        _set_head(tracking, ledger, slot, entries)
    return 1, not kept


def _usable_key(settings: TrackingPlace) -> LedgerKey:
    """The key, or a new one where the file is none."""
    try:
        return find_key(settings.home) or make_key(settings.home)
    except LedgerError as error:
        if error.heal != ADOPT:
            raise
    set_aside(settings.home / FILE)
    return make_key(settings.home)


def _set_head(tracking: Tracking, ledger: Ledger, slot: str, entries: list[Entry]) -> None:
    last = [entry for entry in entries if entry.slot == slot][-1:]
    with service_errors(tracking.uri):
        if last:
            set_head(tracking, ledger, last[0])
        elif HEAD_TAG in tracking.client.get_registered_model(slot).tags:
            tracking.client.delete_registered_model_tag(slot, HEAD_TAG)


def _adopt_slot(settings: TrackingPlace, recorder: Recorder, slot: str, who: str) -> None:
    for version in reversed(view_slot(settings.home, recorder.tracking, slot).versions):
        if _is_told(recorder.ledger.entries(), version):
            continue
        try:
            witness = _look_at(settings, recorder.tracking, version)
        except InputError as error:
            recorder.record(withdrawal(slot, version.version, who, str(error)))
            continue
        recorder.record(
            Intent(
                slot=slot,
                action="adopt",
                version=version.version,
                previous=None,
                who=who,
                why="adopted as it was found",
                witness=witness,
            )
        )


def _is_told(entries: list[Entry], version: VersionSummary) -> bool:
    """Whether the ledger knows the version, if only that it was withdrawn."""
    return find_witness(entries, version.slot, version.version) is not None or any(
        (entry.slot, entry.version, entry.action) == (version.slot, version.version, "withdraw") for entry in entries
    )


def _look_at(settings: TrackingPlace, tracking: Tracking, version: VersionSummary) -> Witness:
    folder = find_folder(settings.home, tracking, version.slot, version.version, None)
    files = list_files(folder)
    tags = {tag: value for tag, value in version.tags.items() if tag not in WRITTEN_LATER}
    if not files.get(ONNX_FILE) or files[ONNX_FILE] != tags.get("onnx_sha256"):
        raise InputError("ONNX file", str(folder / ONNX_FILE), "the bytes that the version's tag onnx_sha256 names")
    load_onnx(folder / ONNX_FILE)
    return Witness(run_id=version.run_id, files=files, tags=tags)


def _adopt_champion(settings: TrackingPlace, recorder: Recorder, slot: str, who: str) -> None:
    """Write down the champion that the registry has."""
    for version in view_slot(settings.home, recorder.tracking, slot).versions:
        witness = find_witness(recorder.ledger.entries(), slot, version.version)
        if CHAMPION in version.aliases and witness is not None:
            recorder.record(
                Intent(
                    slot=slot,
                    action="promote",
                    version=version.version,
                    previous=None,
                    who=who,
                    why="adopted as it was found",
                    model=witness.digest,
                )
            )
