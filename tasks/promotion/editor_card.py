"""The model card of an editing network: its purpose, data, quality and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.metrics.criteria import PSNR
from tasks.outlets.markup import to_markdown
from tasks.promotion.card import describe_data, describe_protocol, describe_recipe, describe_training, row

if TYPE_CHECKING:
    from tasks.evaluation.report import EvaluationReport
    from tasks.pipeline.candidate import Candidate


def write_editor_card(slot: str, candidate: Candidate, params: Mapping[str, str]) -> str:
    """The card as Markdown; `params` is the recipe, by name."""
    fitted, report = candidate.fitted, candidate.report
    sections = (
        f"# {to_markdown(fitted.family)} for `{slot}`",
        f"**Intended use**: the operation `{slot.partition('-')[0]}` of `packshot edit`, on product photographs. What "
        "it adds is likely and not known: look at the result before a customer does.",
        describe_data(candidate.prepared, candidate.validation),
        describe_training(fitted),
        tabulate(report),
        tabulate_categories(report),
        "**Limits**: it was trained and judged on the catalogue above, degraded as the protocol says; other "
        "photographs and other damage come out worse.",
        describe_protocol(report),
        describe_recipe(params),
    )
    return "\n\n".join(sections) + "\n"


def tabulate(report: EvaluationReport) -> str:
    """The figures over all held-out images, with their spread over images."""
    shown = [figure for figure in report.figures if figure.category is None]
    return "| figure | value | |\n|---|---|---|\n" + "\n".join(row(one, bold=one.name == PSNR) for one in shown)


def tabulate_categories(report: EvaluationReport) -> str:
    """What is measured by category, the smallest gain first."""
    ours, baseline = report.by_category(PSNR), report.by_category("baseline_psnr")
    ordered = sorted(ours, key=lambda name: ours[name] - baseline[name])
    rows = [f"| {to_markdown(name)} | {ours[name]:.2f} | {ours[name] - baseline[name]:+.2f} |" for name in ordered]
    return "\n".join(
        [f"| category | {to_markdown(str(report.protocol['measured']))}, dB | gain |", "|---|---|---|", *rows]
    )
