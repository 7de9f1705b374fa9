"""The commands that train, evaluate and generate: each calls a flow or a task and prints the outcome."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flows.processes.prefect_server import with_prefect
from flows.reporting.console import say, summary_table
from tasks.pipeline.outcome import StepSummary
from tasks.workspace.settings import Settings

if TYPE_CHECKING:
    from tasks.evaluation.report import EvaluationReport
    from tasks.pipeline.request import TrainRequest


def show_lines(title: str, lines: list[StepSummary]) -> None:
    """A summary table: each step, what it did or why it was skipped, and how long it took."""
    rows = [(line.step, "skipped" if line.skipped else "done", line.text, f"{line.seconds:.1f} s") for line in lines]
    summary_table(title, ("step", "", "what", "time"), rows, {"skipped": "cyan", "done": "green"})


def train_family(request: TrainRequest) -> None:
    """`packshot train`."""
    from flows.cli.train_once import train_or_skip

    outcome = train_or_skip(Settings(), request)
    show_lines(f"train {request.recipe.family} on {request.catalogue}", outcome.lines)
    alias = "champion" if outcome.promoted else "challenger"
    say(f"{outcome.slot} version {outcome.version}: {alias}; {outcome.verdict}")


def evaluate_version(slot: str, version: int | None) -> None:
    """`packshot evaluate`."""
    from flows.reporting.watch import step_progress
    from tasks.promotion.reevaluate import evaluate_registered

    with step_progress("evaluate") as watch:
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
    from tasks.generation.trail import record_texture

    made = make_texture(example, size, seed, out or Path(f"{example.stem}-texture.png"))
    record_texture(Settings(), example, made)
    say(f"{size}x{size} pixels of {example.name} in {made.path}, seamless on all sides")
