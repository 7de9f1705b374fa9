"""The model card of a version: its purpose, data, quality and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.metrics.criteria import KERNEL
from tasks.outlets.markup import to_markdown

if TYPE_CHECKING:
    from tasks.dataset.prepared import PreparedSet
    from tasks.dataset.validate import ValidationReport
    from tasks.evaluation.report import EvaluationReport, Figure
    from tasks.pipeline.candidate import Candidate
    from tasks.training.result import FitResult

WORST = 5


def write_card(slot: str, candidate: Candidate, params: Mapping[str, str]) -> str:
    """The card of a generator as Markdown; `params` is the recipe, by name."""
    fitted, report, prepared = candidate.fitted, candidate.report, candidate.prepared
    height, width, channels = prepared.shape
    asked = "A category can be asked for." if report.conditional else "Categories cannot be asked for."
    sections = (
        f"# {to_markdown(fitted.family)} for `{slot}`",
        f"**Intended use**: drafts and placeholders of product images, {width}x{height} with {channels} channel(s). "
        f"{asked} Not for images that a customer takes for a photograph of the product on sale, and not for people's "
        "likenesses.",
        describe_data(prepared, candidate.validation),
        describe_training(fitted),
        figures_table(report),
        describe_worst(report),
        describe_memory(report),
        describe_limits(report, prepared),
        describe_protocol(report),
        describe_recipe(params),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def describe_protocol(report: EvaluationReport) -> str:
    """Everything needed to repeat the measurement."""
    return "**Protocol**: " + ", ".join(to_markdown(f"{name} {value}") for name, value in report.protocol.items()) + "."


def describe_recipe(params: Mapping[str, str]) -> str:
    """The parameters of the training, by name."""
    return "**Recipe**: " + ", ".join(f"`{name}` {to_markdown(value)}" for name, value in sorted(params.items())) + "."


def describe_data(prepared: PreparedSet, validation: ValidationReport) -> str:
    """The catalogue's version, its size, and whose images they are."""
    rights = "; ".join(
        f"{column}: " + ", ".join(f"{to_markdown(name)} {count:,}" for name, count in counts.items())
        for column, counts in prepared.meta.rights.items()
    )
    categories = ", ".join(map(to_markdown, prepared.categories))
    return (
        f"**Data**: catalogue `{prepared.catalogue}`, DVC md5 `{prepared.data_md5}`; "
        f"{len(prepared.images('train')):,} training images in {len(prepared.categories)} categories "
        f"({categories}); prepared set `{prepared.key}`; validation `{validation.key}` "
        f"({'passed' if validation.success else 'failed'}, {len(validation.quarantined)} set aside). "
        f"Of the training images, {rights or 'licence and consent: not counted'}."
    )


def describe_training(fitted: FitResult) -> str:
    """How it was made, and which weights were kept."""
    best = f"{fitted.criterion.replace('_', ' ')} {fitted.best_value:.4g}"
    how = f"fitted to all images at once, {best}"
    if fitted.plan is not None:
        how = (
            f"{fitted.steps:,} updates at {fitted.images_per_second:.0f} images/s; the registered weights are the "
            f"moving average at update {fitted.best_step:,}, the best by validation: {best}"
        )
    return f"**Training**: {how}; {fitted.seconds:.0f} s. Recipe `{fitted.key}`, MLflow run `{fitted.run_id}`."


def figures_table(report: EvaluationReport) -> str:
    """The figures over all categories, each beside the score of real held-out images; the ranking figure is bold."""
    shown = [figure for figure in report.figures if figure.category is None]
    head = "| figure | value | real held-out images |\n|---|---|---|\n"
    return head + "\n".join(row(figure, bold=figure.name == report.criterion) for figure in shown)


def row(figure: Figure, bold: bool = False) -> str:
    """One figure as a row of the table."""
    spread = f" ± {figure.spread:.2g}" if figure.spread is not None else ""
    floor = f"{figure.floor:.4g}" if figure.floor is not None else ""
    name = figure.name.replace("_", " ").replace("frechet", "Fréchet")
    return f"| {f'**{name}** (ranks)' if bold else name} | {figure.value:.4g}{spread} | {floor} |"


def describe_worst(report: EvaluationReport) -> str:
    """The categories that come out worst, by each figure that is measured by category."""
    lines = []
    for name, least in (("recall", True), ("category_distance", False), ("share", True)):
        values = report.by_category(name)
        if values:
            worst = sorted(values.items(), key=lambda item: item[1] if least else -item[1])[:WORST]
            listed = ", ".join(f"{to_markdown(category)} {value:.3g}" for category, value in worst)
            lines.append(f"- {'lowest' if least else 'largest'} {name.replace('_', ' ')}: {listed}")
    return "**Worst categories**\n\n" + "\n".join(lines)


def describe_memory(report: EvaluationReport) -> str:
    """Whether it copies its training images."""
    copies, nearest = report.figure("near_copies"), report.figure("nearest_difference")
    return (
        f"**Memorisation**: {copies.value:.2%} of the samples are near-copies of a training image (held-out images: "
        f"{copies.floor or 0:.2%}); the median sample is {nearest.value:.1f} grey levels from the nearest one "
        f"(held-out: {nearest.floor or 0:.1f}). The closest pairs are in `nearest.png`."
    )


def describe_limits(report: EvaluationReport, prepared: PreparedSet) -> str:
    """What not to expect from it."""
    limits = ["it makes what its catalogue shows and nothing else", "categories that are rare there come out worse"]
    limits += prepared.meta.warnings
    precision, recall = report.figure("precision"), report.figure("manifold_recall")
    if recall.floor and recall.value < 0.5 * recall.floor:
        limits.append(f"its variety is narrow: it reaches {recall.value:.0%} of what real images look like")
    if precision.floor and precision.value < 0.75 * precision.floor:
        limits.append(f"only {precision.value:.0%} of its samples look like a real image")
    if report.criterion == KERNEL:
        limits.append("it was judged by few images, so the kernel distance ranks it and the Fréchet distance does not")
    limits += [f"no {name}: {reason}" for name, reason in report.left_out.items()]
    return "**Limits**: " + "; ".join(map(to_markdown, limits)) + "."
