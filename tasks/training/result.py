"""What a finished training leaves behind."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from models.training.initial import NETWORKS_FILE
from models.training.speed import SpeedPlan
from tasks.workspace.places import HomePath


class FitResult(BaseModel):
    """A finished training; its folder holds `generator.onnx`, its weights, `history.csv` and sample grids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    family: str
    folder: HomePath
    run_id: str
    steps: int
    best_step: int
    criterion: str
    best_value: float
    seconds: float
    images_per_second: float
    plan: SpeedPlan | None = Field(description="number format and memory layout; none for families that are fitted")
    export_difference: float
    onnx_sha256: str
    init_from: str | None = Field(default=None, description="models:/SLOT/N or the file that it started from")
    init_sha256: str | None = None
    init_text: str = Field(default="", description="how much was taken from there")

    @property
    def text(self) -> str:
        """One line that says what was done."""
        best = f"{self.criterion.replace('_', ' ')} {self.best_value:.4g}"
        if self.plan is None:
            return f"fitted to all images at once, {self.images_per_second:,.0f} images/s, {best}"
        how = f"{self.images_per_second:.0f} images/s ({self.plan.precision}, {self.plan.memory_format})"
        start = f" from {self.init_from} ({self.init_text})" if self.init_from else ""
        return f"{self.steps:,} updates{start} at {how}, best at {self.best_step:,}: {best}"

    @property
    def onnx(self) -> Path:
        """The exported generator."""
        return self.folder / "generator.onnx"

    @property
    def weights(self) -> Path:
        """All networks at the best update, for `init_from`; of a fitted family the generator."""
        return self.folder / NETWORKS_FILE
