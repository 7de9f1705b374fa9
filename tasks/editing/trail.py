"""What edited photographs record in the lineage index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tasks.lineage.index import Attributes, Derivation, Lineage, Parent, _origin, name_file
from tasks.lineage.trace import Node
from tasks.workspace.settings import CheckoutFolders

if TYPE_CHECKING:
    from tasks.editing.job import Plan
    from tasks.editing.journal import Entry


class EditedFile(NamedTuple):
    """An original, what it became, and the journal's entry of it."""

    source: Path
    output: Path
    entry: Entry


def record_edits(settings: CheckoutFolders, plan: Plan, edited: Sequence[EditedFile]) -> None:
    """Record edited files by the SHA-256 of their bytes, with their originals, networks and parameter files.

    An original that carries a record of its own leads on to what that names, wherever it was made.
    """
    named = [
        Parent(Node("image", one.sha256, {"file": name_file(settings.root, Path(one.path))}), one.role)
        for one in plan.files
    ]
    made = []
    for source, output, entry in edited:
        row = entry.row
        attributes: Attributes = {
            "file": name_file(settings.root, output),
            "operations": row.operations,
            "may_alter_product": "yes" if row.may_alter_product else "no",
            "source_type": row.source_type,
            "seed": plan.job.seed,
            "software": entry.software,
        }
        original = Node("image", row.input_sha256, {"file": name_file(settings.root, source)})
        versions = [Parent(Node("version", f"{one.slot}@{one.version}"), "edited by") for one in entry.networks]
        parents = [Parent(original, "edited from"), *versions, *named, *_origin("", entry.flow_run)]
        made += [
            Derivation(Node("image", one.child), [Parent(Node(one.kind, one.parent), one.role)])
            for one in entry.ancestry
        ]
        made.append(Derivation(Node("image", row.output_sha256, attributes, entry.created), parents))
    Lineage(settings.home).record_all(made)


def require_record(settings: CheckoutFolders) -> None:
    """Refuse before an image is written what could not be put on record after it.

    Raises:
        StorageError: the lineage index cannot be made or opened.
    """
    Lineage(settings.home).record_all([])
