"""The model card of a version: what it is for, what it was made from, how good it is, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.fit import FitResult
    from tasks.prepared import PreparedSet
    from tasks.report import EvaluationReport, Figure
    from tasks.validate import ValidationReport


def write_card(fitted: FitResult, report: EvaluationReport, prepared: PreparedSet, validation: ValidationReport) -> str:
    """The card as Markdown."""
    height, width, channels = prepared.shape
    protocol = ", ".join(f"{name} {value}" for name, value in report.protocol.items())
    figures = "\n".join(row(figure) for figure in report.figures if figure.category is None)
    asked = "A category can be asked for." if report.conditional else "Categories cannot be asked for."
    return f"""# {fitted.family} for `{prepared.catalogue}`

**Use**: drafts and placeholders of product images, {width}x{height} with {channels} channel(s). {asked}
Not for: images that a customer takes for a photograph of the product on sale.

**Data**: catalogue `{prepared.catalogue}`, DVC md5 `{prepared.data_md5}`; {len(prepared.images("train")):,} training
images in {len(prepared.categories)} categories ({", ".join(prepared.categories)}); prepared set `{prepared.key}`;
validation `{validation.key}` ({"passed" if validation.success else "failed"}, {len(validation.quarantined)} set aside).

**Training**: recipe `{fitted.key}`, {fitted.steps:,} updates in {fitted.seconds:.0f} s; the registered weights are the
moving average at update {fitted.best_step:,}, the best by validation distance. MLflow run `{fitted.run_id}`.

| figure | value | real held-out images |
|---|---|---|
{figures}

**Protocol**: {protocol}.

**Limits**: it makes what its catalogue shows and nothing else; categories that are rare there come out worse.
"""


def row(figure: Figure) -> str:
    """One figure as a row of the table."""
    spread = f" ± {figure.spread:.4g}" if figure.spread is not None else ""
    floor = f"{figure.floor:.4g}" if figure.floor is not None else ""
    return f"| {figure.name.replace('_', ' ')} | {figure.value:.4g}{spread} | {floor} |"
