"""The fastest number format and memory layout on this machine, by a short measurement."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict

Precision = Literal["32-true", "bf16-mixed"]
MemoryFormat = Literal["contiguous", "channels_last"]
PLANS: tuple[tuple[Precision, MemoryFormat], ...] = (
    ("32-true", "contiguous"),
    ("32-true", "channels_last"),
    ("bf16-mixed", "contiguous"),
    ("bf16-mixed", "channels_last"),
)


class SpeedPlan(BaseModel):
    """The chosen format and layout, and what was measured: images per second by `precision/layout`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision
    memory_format: MemoryFormat
    measured: dict[str, float] = {}


def choose_plan(
    batch: Callable[[SpeedPlan], Callable[[], object]],
    images: int,
    precision: Precision | Literal["auto"] = "auto",
    memory_format: MemoryFormat | Literal["auto"] = "auto",
    rounds: int = 5,
) -> SpeedPlan:
    """The fastest plan among those allowed.

    `batch(plan)` sets a training up under `plan` and returns a function that does one update of `images` images. The
    plans are timed in turn, so that a change of the machine's load meets all of them; the median of `rounds` counts.
    """
    plans = [
        SpeedPlan(precision=number, memory_format=layout)
        for number, layout in PLANS
        if precision in ("auto", number) and memory_format in ("auto", layout)
    ]
    # Slow bf16 is no candidate, but a person may have asked for it by name.
    allowed = [plan for plan in plans if plan.precision == "32-true" or has_fast_bf16()] or plans
    if len(allowed) == 1:
        return allowed[0]
    updates = [batch(plan) for plan in allowed]
    times = [[_seconds(update) for update in updates] for _ in range(rounds + 1)][1:]
    speeds = [images / statistics.median(column) for column in zip(*times, strict=True)]
    best = max(range(len(allowed)), key=speeds.__getitem__)
    measured = {
        f"{plan.precision}/{plan.memory_format}": round(speed, 1) for plan, speed in zip(allowed, speeds, strict=True)
    }
    return allowed[best].model_copy(update={"measured": measured})


def has_fast_bf16() -> bool:
    """True when the device multiplies bfloat16 in hardware: a recent GPU, or a CPU with AVX512-BF16 or AMX."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _seconds(update: Callable[[], object]) -> float:
    started = time.perf_counter()
    update()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started
