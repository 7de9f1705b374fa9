"""The figure that ranks versions: PSNR for editing networks, a distance that suits the sample size for generators."""

from __future__ import annotations

FRECHET, KERNEL, PSNR = "frechet_distance", "kernel_distance", "psnr"
TITLES = {FRECHET: "Fréchet distance", KERNEL: "kernel distance", PSNR: "PSNR, dB"}
TRUSTED = 2048
"""Images below which the Fréchet distance, biased by their number, gives way to the kernel distance."""


def choose_criterion(*counts: int) -> str:
    """The distance that ranks: Fréchet when every set has at least `TRUSTED` images, else the kernel distance."""
    return FRECHET if min(counts) >= TRUSTED else KERNEL
