"""By which distance generators are ranked, which depends on how many images there are."""

from __future__ import annotations

FRECHET, KERNEL = "frechet_distance", "kernel_distance"
TITLES = {FRECHET: "Fréchet distance", KERNEL: "kernel distance"}
TRUSTED = 2048
"""Images below which the Fréchet distance, biased by their number, gives way to the kernel distance."""


def choose_criterion(*counts: int) -> str:
    """The distance that ranks: Fréchet when every set has at least `TRUSTED` images, else the kernel distance."""
    return FRECHET if min(counts) >= TRUSTED else KERNEL
