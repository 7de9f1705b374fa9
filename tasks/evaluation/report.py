"""The evaluation report: figures that each carry their protocol, as JSON."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from models.metrics.criteria import FRECHET

EVALUATION = "evaluation"
"""The folder of a run's artifacts that holds its version's report and pictures."""
REPORT = "report.json"
CONTACT_SHEET = "contact-sheet.png"
PICTURES = {
    CONTACT_SHEET: "Fixed seeds by category: the same place in every version",
    "samples.png": "Samples, by category",
    "nearest.png": "The samples closest to a training image",
    "interpolations.png": "Walks between two points of the noise",
    "film-strip.png": "The same seeds as the training went on",
}
"""The files that an evaluation may write beside its report."""


class Figure(BaseModel):
    """One measured number; `floor` is what real held-out images score under the same protocol."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: float
    spread: float | None = Field(default=None, description="standard deviation over subsets")
    category: str | None = None
    floor: float | None = None
    higher_is_better: bool


class EvaluationReport(BaseModel):
    """What was measured on one exported model, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    catalogue: str
    family: str
    conditional: bool
    onnx_sha256: str
    prepared_key: str
    data_md5: str
    criterion: str = Field(default=FRECHET, description="the figure that ranks versions and gates")
    protocol: dict[str, str | int | float]
    figures: list[Figure]
    left_out: dict[str, str] = Field(default={}, description="pictures that were not made, and why")

    def value(self, name: str, category: str | None = None) -> float:
        """The figure called `name`.

        Raises:
            KeyError: the report has none of that name.
        """
        return self.figure(name, category).value

    def figure(self, name: str, category: str | None = None) -> Figure:
        """The figure called `name`, with its floor and spread."""
        for figure in self.figures:
            if (figure.name, figure.category) == (name, category):
                return figure
        raise KeyError((name, category))

    @property
    def distance(self) -> Figure:
        """The ranking figure: a distance, or an editing network's PSNR."""
        return self.figure(self.criterion)

    @property
    def samples(self) -> int:
        """The number of images that were evaluated."""
        return int(self.protocol["samples"])

    def has(self, name: str) -> bool:
        """True when a figure called `name` was measured."""
        return any(figure.name == name for figure in self.figures)

    def find(self, name: str) -> float | None:
        """The figure called `name` over all categories, or None when it was not measured."""
        return self.value(name) if self.has(name) else None

    def by_category(self, name: str) -> dict[str, float]:
        """The figure called `name` of each category."""
        return {figure.category: figure.value for figure in self.figures if figure.name == name and figure.category}

    @classmethod
    def read(cls, path: Path) -> EvaluationReport:
        """The report that was written to `path`."""
        return cls.model_validate_json(path.read_text())


def evaluation_folder(home: Path, key: str) -> Path:
    """Where an evaluation's report, pictures and features are."""
    return home / "evaluations" / key
