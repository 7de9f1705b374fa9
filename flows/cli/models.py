"""What the commands do: call a flow or a task, and print what came of it."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flows.reporting.console import summary_table, terminal
from models.errors import InputError
from tasks.pipeline.outcome import Line
from tasks.workspace.settings import Settings

if TYPE_CHECKING:
    from tasks.evaluation.report import EvaluationReport
    from tasks.registry.register import VersionSummary

Result = TypeVar("Result")


def with_prefect(settings: Settings, run: Callable[[], Result]) -> Result:
    """Call `run`, which calls a flow, with a Prefect server: the one that runs, or one for as long as it takes."""
    from flows.processes.prefect_server import prefect_server
    from tasks.registry.tracking import check_tracking

    check_tracking()
    with prefect_server(settings) as url:
        os.environ["PREFECT_API_URL"] = url
        return run()


def say(text: str) -> None:
    """Print one line on stdout, whole."""
    terminal().print(text, soft_wrap=True, markup=False)


def show_lines(title: str, lines: list[Line]) -> None:
    """A summary table: each step, what it did or why it was skipped, and how long it took."""
    rows = [(line.step, "skipped" if line.skipped else "done", line.text, f"{line.seconds:.1f} s") for line in lines]
    summary_table(title, ("step", "", "what", "time"), rows, {"skipped": "cyan", "done": "green"})


def train_family(
    family: str,
    changes: dict[str, Any],
    catalogue: str,
    data_version: str | None,
    quarantine: bool,
    max_quarantined: float,
    force: bool,
) -> None:
    """`packshot train`."""
    from flows.cli.train_once import train_or_skip
    from tasks.versions.resolution import check_name
    from tasks.workspace.parameters import load_recipe

    settings = Settings()
    check_name(catalogue)
    if not 0 <= max_quarantined <= 1:
        raise InputError("--max-quarantined", max_quarantined, "0 to 1")
    recipe = load_recipe(settings.root, family, changes)
    outcome = train_or_skip(settings, recipe, catalogue, data_version, quarantine, max_quarantined, force)
    show_lines(f"train {family} on {catalogue}", outcome.lines)
    alias = "champion" if outcome.promoted else "challenger"
    say(f"{outcome.slot} version {outcome.version}: {alias}; {outcome.verdict}")


def evaluate_version(slot: str, version: int | None) -> None:
    """`packshot evaluate`."""
    from flows.reporting.watch import watching
    from tasks.pipeline.reevaluate import evaluate_registered

    with watching("evaluate") as watch:
        report = evaluate_registered(Settings(), slot, version, watch)
    show_figures(report)


def show_figures(report: EvaluationReport) -> None:
    """The figures of a report beside the floor that real images reach, and the protocol below."""
    rows = []
    for figure in report.figures:
        spread = f" ± {figure.spread:.2g}" if figure.spread is not None else ""
        floor = f"{figure.floor:.4g}" if figure.floor is not None else ""
        rows.append((figure.name.replace("_", " "), figure.category or "", f"{figure.value:.4g}{spread}", floor))
    summary_table(f"{report.family} on {report.catalogue}", ("figure", "category", "value", "real images"), rows)
    say("protocol: " + ", ".join(f"{name} {value}" for name, value in report.protocol.items()))


def generate_images(slot: str, count: int, seed: int, category: str | None, out: Path | None) -> None:
    """`packshot generate`."""
    from tasks.generation.publish import check_request

    settings = Settings()
    check_request(count, seed)

    def run() -> None:
        from flows.generate import generate

        made = generate(slot=slot, count=count, seed=seed, category=category, out=str(out or ""))
        say(f"{len(made.images)} images in {made.folder} ({made.seconds:.1f} s), sheet {made.sheet}")

    with_prefect(settings, run)


def make_texture_file(example: Path, size: int, seed: int, out: Path | None) -> None:
    """`packshot texture`."""
    from tasks.generation.texture import make_texture
    from tasks.pipeline.trail import record_texture

    made = make_texture(example, size, seed, out or Path(f"{example.stem}-texture.png"))
    record_texture(Settings(), example, made)
    say(f"{size}x{size} pixels of {example.name} in {made.path}, seamless on all sides")


def promote_version(slot: str, version: int | None, why: str) -> None:
    """`packshot promote`."""
    from tasks.leaderboard.page import publish_leaderboard
    from tasks.promotion.moves import promote

    say(promote(Settings(), slot, version, who=getpass.getuser(), why=why).text)
    publish_leaderboard(Settings(), slot)


def rollback_slot(slot: str, why: str) -> None:
    """`packshot rollback`."""
    from tasks.leaderboard.page import publish_leaderboard
    from tasks.promotion.moves import rollback

    say(rollback(Settings(), slot, who=getpass.getuser(), why=why).text)
    publish_leaderboard(Settings(), slot)


def show_lineage(x: str | None, as_json: bool, verify: bool, restore: bool) -> None:
    """`packshot lineage`."""
    from tasks.lineage.index import FORMS, Lineage

    if restore:
        from tasks.promotion.moves import restore_ledger

        say(f"the ledger is anchored again: {len(restore_ledger(Settings()))} entries")
    if x is None and not (verify or restore):
        raise InputError("X", "nothing", FORMS)
    if verify:
        from tasks.promotion.moves import verify_ledger

        entries = verify_ledger(Settings())
        say(f"the ledger holds: {len(entries)} entries, head {entries[-1].hash[:8] if entries else 'none'}")
    if x is not None:
        chain = Lineage(Settings()).trace(x)
        sys.stdout.write((chain.to_json() if as_json else chain.to_text()) + "\n")


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
        sys.stdout.write(board.model_dump_json(indent=1) + "\n")
        return
    ranked = [one for one in board.standings if one.rank]
    for title, names in ((slot, FIGURES), ("what they cost", COSTS)):  # two tables, for one would be too wide
        summary_table(title, header(board, names), [cells(board, one, names) for one in ranked])
    say(board.protocol)
    for text in explain_apart(board):
        say(text)


def list_models() -> None:
    """`packshot models`."""
    from tasks.leaderboard.costs import list_families, measured_costs
    from tasks.registry.register import list_slots, list_versions

    settings = Settings()
    versions = [version for slot in list_slots(settings) for version in list_versions(settings, slot)]
    costs = measured_costs(versions)
    families = [(*vars(family).values(), *costs.get(family.name, ("", "", ""))) for family in list_families(settings)]
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


def add_data(folder: Path, name: str, link: bool) -> None:
    """`packshot data add`."""
    from tasks.versions.additions import add_folder

    report = add_folder(Settings(), folder, name, link)
    counts = f"{len(report.added)} added, {len(report.changed)} changed, {len(report.removed)} removed"
    say(f"{name}: {counts}, {report.unchanged} unchanged")
    for sign, files in (("+", report.added), ("~", report.changed), ("-", report.removed)):
        for file in list(files)[:10]:
            say(f"  {sign} {file}")
        if len(files) > 10:
            say(f"  {sign} and {len(files) - 10} more")
    say(f"version {report.version.md5}, {report.version.images} images; commit data.dvc to keep it")


def fetch_data(name: str) -> None:
    """`packshot data fetch`."""
    from flows.reporting.console import ConsoleProgress
    from tasks.pipeline.steps import ingest

    with ConsoleProgress("fetch") as watch:
        say(ingest(Settings(), name, None, watch).line.what)


def list_data(name: str | None) -> None:
    """`packshot data versions`."""
    from tasks.versions.resolution import list_versions

    rows = [
        (v.name, v.revision, v.md5, f"{v.images:,}", f"{v.bytes / 2**20:.1f} MiB")
        for v in list_versions(Settings(), name)
    ]
    summary_table("catalogues", ("catalogue", "revision", "md5", "images", "size"), rows)
