"""The demo: the main job with a short recipe, from a catalogue to 64 traceable images."""

from __future__ import annotations

import time
from pathlib import Path

from flows.cli.runs import show_lines
from flows.cli.train_once import train_or_skip
from flows.processes.prefect_server import with_prefect
from flows.reporting.console import summary_table
from models.errors import PackshotError
from tasks.evaluation.report import EvaluationReport
from tasks.pipeline.outcome import StepSummary, TrainOutcome
from tasks.pipeline.request import TrainRequest
from tasks.workspace.parameters import build_recipe, read_params
from tasks.workspace.records import StepKey, StepRecords
from tasks.workspace.settings import Settings

CATALOGUE = "fashion-mnist"
QUOTED = (
    *("frechet_distance", "kernel_distance", "precision", "manifold_recall", "coverage"),
    *("accuracy", "recall", "f1", "near_copies"),
)


def run_demo() -> None:
    """Run the main job, or skip it when nothing changed, and print a summary."""
    settings, started = Settings(), time.monotonic()
    params = read_params(settings.root)["demo"]
    outcome = train_or_skip(settings, TrainRequest(recipe=build_recipe(params["train"], {}), catalogue=CATALOGUE))
    try:
        line, folder = generate_or_skip(settings, outcome, params["count"], params["seed"])
    except PackshotError:
        show_lines("packshot demo, as far as it came", outcome.lines)
        raise
    show_lines(f"packshot demo: {time.monotonic() - started:.0f} s", [*outcome.lines, line])
    show_quality(EvaluationReport.read(outcome.report))
    show_places(settings, outcome, folder)


def generate_or_skip(settings: Settings, outcome: TrainOutcome, count: int, seed: int) -> tuple[StepSummary, Path]:
    """Generate the images with the champion unless the same ones exist; returns the summary line and their folder."""
    from serving.engine import load

    champion = load(settings, outcome.slot).version
    folder = settings.root / "packshots" / f"demo-v{champion.version}"
    inputs = {"champion": champion.tags["onnx_sha256"], "request": f"{count} of seed {seed}"}
    step, records = StepKey(name="generate", inputs=inputs), StepRecords(settings.home)
    found = records.find(step)
    if found is None:

        def work() -> None:
            from flows.generate import generate

            made = generate(slot=outcome.slot, count=count, seed=seed, out=str(folder))
            records.save(step, {}, [*made.images, made.sheet], made.seconds)

        begun = time.monotonic()
        with_prefect(settings, work)
        seconds = time.monotonic() - begun
    what = f"{count} images by {outcome.slot} version {champion.version}, seed {seed}"
    skipped = found is not None
    return (
        StepSummary(
            step="generate",
            what=what,
            seconds=0.0 if skipped else round(seconds, 2),
            inputs=step.summary,
            skipped=skipped,
        ),
        folder,
    )


def show_quality(report: EvaluationReport) -> None:
    """The key figures, each beside the score of real held-out images."""
    rows = []
    for name in QUOTED:
        if report.has(name):
            figure = report.figure(name)
            spread = f" ± {figure.spread:.2g}" if figure.spread is not None else ""
            rows.append((name.replace("_", " "), f"{figure.value:.4g}{spread}", f"{figure.floor:.4g}"))
    protocol = report.protocol
    title = f"{protocol['samples']:,} generated against {protocol['reference_images']:,} held-out images"
    summary_table(title, ("figure", "generated", "real"), rows)


def show_places(settings: Settings, outcome: TrainOutcome, folder: Path) -> None:
    """Where to look at what the demo made."""
    sheet = next(folder.glob("*-sheet.png"))
    first = next(folder.glob("*-00000.png"))
    here = Path.cwd()
    rows = [
        ("images", short(sheet, here)),
        ("Data Docs", short(outcome.data_docs, here)),
        ("MLflow run", f"{settings.mlflow_url}/#/runs/{outcome.run_id}"),
        ("Prefect run", f"{settings.prefect_url}/runs/flow-run/{outcome.flow_run}"),
        ("lineage", f".venv/bin/packshot lineage {short(first, here)}"),
    ]
    summary_table("where to look (the two pages: .venv/bin/packshot up)", ("", ""), rows)


def short(path: Path, here: Path) -> str:
    """The path as seen from `here` when it is inside."""
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
