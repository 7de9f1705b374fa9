"""The commands that read or move registered versions: promote, rollback, lineage, leaderboard, models."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from flows.reporting.console import say, say_json, say_lines, summary_table
from models.errors import InputError, LedgerError
from tasks.workspace.settings import Settings

if TYPE_CHECKING:
    from tasks.registry.versions import VersionSummary


def promote_version(slot: str, version: int | None, why: str) -> None:
    """`packshot promote`."""
    from tasks.leaderboard.page import publish_leaderboard
    from tasks.promotion.moves import make_champion

    say(make_champion(Settings(), slot, version, who=getpass.getuser(), why=why).text)
    publish_leaderboard(Settings(), slot)


def rollback_slot(slot: str, why: str) -> None:
    """`packshot rollback`."""
    from tasks.leaderboard.page import publish_leaderboard
    from tasks.promotion.moves import restore_champion

    say(restore_champion(Settings(), slot, who=getpass.getuser(), why=why).text)
    publish_leaderboard(Settings(), slot)


def show_lineage(
    x: str | None, as_json: bool, verify: bool = False, restore: bool = False, adopt: bool = False
) -> None:
    """`packshot lineage`."""
    from tasks.lineage.index import FORMS, Lineage

    if x is None and not (verify or restore or adopt):
        raise InputError("X", "nothing", FORMS)
    if restore:
        from tasks.auditing.healing import restore_ledger

        say(f"the ledger is restored: {len(restore_ledger(Settings(), who=getpass.getuser()))} entries")
    if adopt:
        from tasks.auditing.adoption import adopt_ledger

        written = adopt_ledger(Settings(), who=getpass.getuser())
        say_lines([f"{e.action} {e.slot} {e.version}: {e.why}" for e in written] or ["there is nothing to adopt"])
    if verify:
        print_audit(Settings())
    if x is not None:
        chain = Lineage(Settings().home).trace(x)
        say_json(chain.to_json()) if as_json else say_lines(chain.to_text().splitlines())


def print_audit(settings: Settings) -> None:
    """Say that ledger and registry hold, or all that does not.

    Raises:
        LedgerError: the last of the findings; those before it were printed.
    """
    from tasks.auditing.audit import audit

    entries, findings = audit(settings)
    for finding in findings[:-1]:
        say(finding.text)
    if findings:
        raise LedgerError(*findings[-1])
    say(f"the ledger holds: {len(entries)} entries, head {entries[-1].hash[:8] if entries else 'none'}")


def show_leaderboard(slot: str, as_json: bool, measure: bool) -> None:
    """`packshot leaderboard`."""
    from tasks.leaderboard.page import cells, explain_apart, header
    from tasks.leaderboard.ranking import COSTS, FIGURES, build_leaderboard

    settings = Settings()
    if measure:
        from flows.reporting.console import ConsoleProgress
        from tasks.leaderboard.remeasure import measure_apart

        with ConsoleProgress("measure") as watch:
            board = measure_apart(settings, slot, watch)
    else:
        board = build_leaderboard(settings, slot)
    if as_json:
        say_json(board.model_dump_json(indent=1))
        return
    ranked = [one for one in board.standings if one.rank]
    for title, names in ((slot, FIGURES), ("what they cost", COSTS)):  # two tables, because one would be too wide
        summary_table(title, header(board, names), [cells(board, one, names) for one in ranked])
    say(board.protocol)
    for text in explain_apart(board):
        say(text)


def list_models() -> None:
    """`packshot models`."""
    from tasks.leaderboard.costs import list_families, measured_costs
    from tasks.registry.versions import list_slots, list_versions

    settings = Settings()
    versions = [version for slot in list_slots(settings) for version in list_versions(settings, slot)]
    costs = measured_costs(versions)
    families = [
        (*vars(family).values(), *costs.get(family.name, ("", "", ""))) for family in list_families(settings.root)
    ]
    titles = ("family", "capability", "algorithm", "parameters", "a batch, ms", "MB", "training, s")
    summary_table("families: parameters of the recipe at 32x32; costs of the newest version", titles, families)
    columns = ("model", "version", "family", "alias", "data", "why not champion")
    summary_table("registered models", columns, [version_row(version) for version in versions])


def version_row(version: VersionSummary) -> tuple[object, ...]:
    """A version's row in the table of `packshot models`; a champion needs no reason."""
    tags = version.tags
    reason = "" if "champion" in version.aliases else tags.get("gate.reason", "")
    aliases, data = ", ".join(version.aliases), tags.get("data_md5", "")[:8]
    return version.slot, version.version, tags.get("family", ""), aliases, data, reason
