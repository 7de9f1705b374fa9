"""The leaderboard as text, as Markdown on the slot's page in MLflow, and as a page of contact sheets."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.evaluation.report import CONTACT_SHEET, EVALUATION
from tasks.leaderboard.ranking import Leaderboard, Standing, build_leaderboard, read_artifact
from tasks.outlets.markup import to_html, to_markdown
from tasks.registry.register import DESCRIPTION_LENGTH
from tasks.registry.tracking import Tracking, open_tracking, service_errors
from tasks.workspace.storage import locked

if TYPE_CHECKING:
    from tasks.workspace.settings import TrackingPlace

PAGE = "leaderboard.html"
EXPERIMENT = "leaderboards"
SLOT_TAG = "slot"
SHEETS = 6
"""Contact sheets on the page: those of the best versions."""
COLUMNS = {
    "precision": "precision",
    "manifold_recall": "recall of manifold",
    "density": "density",
    "coverage": "coverage",
    "accuracy": "accuracy",
    "recall": "recall of categories",
    "bits_per_dimension": "bits/dim",
    "near_copies": "near copies",
    "ssim": "SSIM",
    "l1": "L1",
    "baseline_psnr": "PSNR without it",
    "parameters": "parameters",
    "megabytes": "MB",
    "latency_ms": "latency, ms",
    "training_seconds": "training, s",
}
STYLE = """
body { font: 13px/1.45 system-ui, sans-serif; color: #26262a; background: #fafaf8; margin: 20px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 8px; border-bottom: 1px solid #d6d6d2; text-align: right; vertical-align: bottom; }
td { white-space: nowrap; } td:nth-child(3), td:nth-child(4), th:nth-child(3), th:nth-child(4) { text-align: left; }
.faint { color: #80808a; } figure { display: inline-block; margin: 0 12px 12px 0; vertical-align: top; }
img { width: 600px; max-width: 100%; }
"""


def publish_leaderboard(settings: TrackingPlace, slot: str) -> Leaderboard:
    """Rank the versions and show it in MLflow: as the slot's description, and as a page with contact sheets.

    Raises:
        RegistryError: there is no such slot.
        ServiceError: MLflow cannot be reached.
    """
    with locked(settings.home / "locks" / f"leaderboard-{slot}.lock", 600, "writing the leaderboard"):
        board, tracking = build_leaderboard(settings, slot), open_tracking(settings)
        with service_errors(tracking.uri):
            tracking.client.update_registered_model(slot, describe(board))
        run_id = page_run(tracking, slot)
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / PAGE
            page.write_text(build_page(board, contact_sheets(tracking, board)), encoding="utf-8")
            tracking.log_figure_file(run_id, page)
        tracking.end_run(run_id)
    return board


def page_run(tracking: Tracking, slot: str) -> str:
    """The run that holds the slot's page; created when there is none."""
    experiment = tracking.experiment(EXPERIMENT)
    with service_errors(tracking.uri):
        found = tracking.client.search_runs([experiment], f"tags.{SLOT_TAG} = '{slot}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    return tracking.start_or_resume_run(EXPERIMENT, None, slot, {SLOT_TAG: slot}, {})


def contact_sheets(tracking: Tracking, board: Leaderboard) -> dict[int, bytes]:
    """The contact sheets (PNG) of the best versions, by version; an older version may have none."""
    best = [standing for standing in board.standings if standing.rank][:SHEETS]
    found = {one.version: read_artifact(tracking, one.run_id, f"{EVALUATION}/{CONTACT_SHEET}") for one in best}
    return {version: sheet for version, sheet in found.items() if sheet is not None}


def header(board: Leaderboard, among: Collection[str] = COLUMNS) -> list[str]:
    """The titles of those columns, `among` the given ones, in which any version has a value."""
    shown = (COLUMNS[name] for name in _shown(board, among))
    return ["rank", "version", "family", "alias", board.title, *shown, "date"]


def cells(board: Leaderboard, standing: Standing, among: Collection[str] = COLUMNS) -> list[str]:
    """One version's row under `header`; a cell is empty when nothing was measured."""
    values = standing.figures | standing.costs
    names = ", ".join(standing.aliases)
    rank, version = str(standing.rank or ""), str(standing.version)
    shown = [show(name, values) for name in _shown(board, among)]
    return [rank, version, standing.family, names, short(standing.distance), *shown, standing.date]


def _shown(board: Leaderboard, among: Collection[str]) -> list[str]:
    there = {name for standing in board.standings for name in (*standing.figures, *standing.costs)}
    return [name for name in COLUMNS if name in there and name in among]


def show(name: str, values: Mapping[str, float]) -> str:
    """A figure as text; "" when there is none."""
    value = values.get(name)
    if value is None:
        return ""
    if name == "near_copies":
        return f"{value:.2%}"
    return f"{value:,.0f}" if name in ("parameters", "training_seconds") else short(value)


def short(value: float | None) -> str:
    """Three significant digits, without an exponent."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def describe(board: Leaderboard, most: int = DESCRIPTION_LENGTH) -> str:
    """A title, the protocol and the table; the last rows are dropped when the text would exceed `most` characters."""
    titles = header(board)
    top = [
        f"**Leaderboard** of `{board.slot}`: {to_markdown(board.protocol)}.",
        "",
        line(titles),
        "|---" * len(titles) + "|",
    ]
    rows = [line(cells(board, standing)) for standing in board.standings if standing.rank]
    rows += [f"\n{to_markdown(text)}" for text in explain_apart(board)]
    kept, room = [], most - sum(len(part) + 1 for part in top) - 60
    for number, row in enumerate(rows):
        room -= len(row) + 1
        if room < 0:
            kept.append(f"\nand {len(rows) - number} more: `packshot leaderboard {board.slot}`")
            break
        kept.append(row)
    return "\n".join([*top, *kept])


def explain_apart(board: Leaderboard) -> list[str]:
    """One sentence for each version without a rank."""
    return [f"Version {one.version} ({one.family}) is apart: {one.apart}." for one in board.standings if one.apart]


def line(values: list[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(map(to_markdown, values)) + " |"


def build_page(board: Leaderboard, sheets: Mapping[int, bytes]) -> str:
    """One self-contained page: the table, and the contact sheets of the best versions side by side."""
    titles = "".join(f"<th>{to_html(title)}</th>" for title in header(board))
    rows = []
    for standing in board.standings:
        row = "".join(f"<td>{to_html(cell)}</td>" for cell in cells(board, standing))
        rows.append(f"<tr>{row}</tr>")
    apart = [f"<p class='faint'>{to_html(text)}</p>" for text in explain_apart(board)]
    figures = []
    for standing in board.standings:
        if standing.version in sheets:
            picture = base64.b64encode(sheets[standing.version]).decode()
            caption = f"{standing.rank}. version {standing.version}, {standing.family} {', '.join(standing.aliases)}"
            image = f"<img alt='contact sheet' src='data:image/png;base64,{picture}'>"
            figures.append(f"<figure><figcaption>{to_html(caption)}</figcaption>{image}</figure>")
    name = to_html(board.slot)
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Leaderboard of {name}</title>"
        f"<style>{STYLE}</style><h1>{name}</h1><p class='faint'>{to_html(board.protocol)}</p>"
        f"<table><tr>{titles}</tr>{''.join(rows)}</table>{''.join(apart)}"
        f"<h2>The same seeds and categories at the same places</h2>{''.join(figures)}</html>\n"
    )
