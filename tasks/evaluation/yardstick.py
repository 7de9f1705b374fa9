"""What the versions of a slot are measured by, the same for a challenger and its champion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.dataset.prepared import PreparedSet
    from tasks.evaluation.generators import EvaluateConfig
    from tasks.evaluation.ruler import RulerFile


@dataclass(frozen=True)
class Yardstick:
    """The set with the held-out images, how many samples are judged, and the ruler, which editors do without."""

    prepared: PreparedSet
    config: EvaluateConfig
    ruler: RulerFile | None = None
