"""The gate's bounds, each a parameter of `params.yaml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ServingBounds(BaseModel):
    """What serving a version may cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_abs_difference: float = Field(
        default=1e-3, gt=0, description="exported against trained model, largest difference of an output in -1..1"
    )
    max_latency_ms: float = Field(default=250.0, gt=0, description="median for one batch in the serving engine")
    max_memory_mb: float = Field(default=1024.0, gt=0, description="resident memory of the serving engine")


class GateBounds(ServingBounds):
    """The bounds that a challenger must meet; all are inclusive."""

    max_distance_of_untrained: float = Field(
        default=0.5, gt=0, le=1, description="distance, at most this part of the untrained network's"
    )
    max_distance: float | None = Field(default=None, gt=0, description="Fréchet distance, at most this; off when unset")
    max_kernel_distance: float | None = Field(
        default=None, gt=0, description="kernel distance, at most this where it ranks (few images); off when unset"
    )
    max_difference: float = Field(
        default=0.0, description="upper end of the 95 % interval of challenger minus champion, at most this"
    )
    min_category_recall: float = Field(
        default=0.5, ge=0, le=1, description="conditional families: recall of the worst category, at least this"
    )
    min_category_share: float = Field(
        default=0.2, ge=0, le=1, description="share of the rarest category, at least this part of an even share"
    )
    max_category_distance_of_untrained: float = Field(
        default=0.5, gt=0, le=1, description="kernel distance of each category, at most this part of the untrained's"
    )
    max_category_distance_gain: float = Field(
        default=0.25, ge=0, description="worst category's distance: at most this part above the champion's worst"
    )
    max_category_loss: float = Field(
        default=0.25, ge=0, le=1, description="worst category: at most this part below the champion's worst"
    )
    max_memorised_share: float = Field(
        default=0.01, ge=0, le=1, description="share of samples that copy a training image, at most this"
    )
