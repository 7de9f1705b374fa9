"""Enhance: denoise, white balance, exposure, contrast and sharpness, by given strengths or by measurement."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from models.arrays import Pixels
from models.imaging.adjustments import enhancement
from models.imaging.adjustments.enhancement import Statistics
from tasks.operations.contract.operation import EditContext, Operation
from tasks.photos.picture import Picture
from tasks.provenance.source_type import Marking

STEPS = ("denoise", "white_balance", "exposure", "contrast", "sharpness")
"""In the order they are applied: noise first, lest the others amplify it."""


class Enhance(Operation):
    """Improve a photograph; each strength is 0 to 1, and with all at 0 the bytes stay as they are.

    It may alter the product: a buyer could see another shade, and fabric grain may go with the noise. `auto` changes
    only what its measurements call for, leaves a good studio photograph almost untouched, and notes its choices; a
    strength given beside `auto` takes precedence.
    """

    title: ClassVar[str] = "Contrast, sharpness, denoising, white balance and exposure; colours may shift"
    may_alter_product: ClassVar[bool] = True
    marking: ClassVar[Marking] = "none"
    value_field: ClassVar[str | None] = "mode"
    example: ClassVar[str] = "enhance:auto"

    op: Literal["enhance"] = "enhance"
    mode: Literal["manual", "auto"] = Field(default="manual", description="auto picks strengths from the picture")
    contrast: float = Field(default=0, ge=0, le=1, description="local contrast of the lightness (CLAHE)")
    sharpness: float = Field(default=0, ge=0, le=1, description="unsharp mask of the lightness, noise left out")
    denoise: float = Field(default=0, ge=0, le=1, description="edge-keeping smoothing, scaled by the measured noise")
    white_balance: float = Field(default=0, ge=0, le=1, description="removes a cast, by the backdrop if it is light")
    exposure: float = Field(default=0, ge=0, le=1, description="moves the median to mid-grey, by a stop at most")

    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The enhanced picture, with a note on what `auto` picked."""
        strengths = {step: float(getattr(self, step)) for step in STEPS}
        if self.mode == "manual" and not any(strengths.values()):
            return picture
        opaque = None if picture.alpha is None or picture.alpha.min() == 255 else picture.alpha >= 128
        found = enhancement.measure(picture.pixels, opaque)
        if self.mode == "manual":
            return picture.with_pixels(enhance(picture.pixels, strengths, found))
        picked, reasons = pick_strengths(found)
        strengths = {step: strengths[step] if step in self.model_fields_set else picked[step] for step in STEPS}
        return picture.with_pixels(enhance(picture.pixels, strengths, found), describe(strengths, reasons))


def enhance(pixels: Pixels, strengths: dict[str, float], found: Statistics) -> Pixels:
    """The pixels after all five steps; a step of strength 0 does nothing."""
    pixels = enhancement.denoise(pixels, strengths["denoise"], found.noise)
    pixels = enhancement.balance_white(pixels, strengths["white_balance"], found.illuminant, found.level)
    pixels = enhancement.expose(pixels, strengths["exposure"], found.middle, found.lightest)
    pixels = enhancement.raise_contrast(pixels, strengths["contrast"])
    return enhancement.sharpen(pixels, strengths["sharpness"], found.noise)


def pick_strengths(found: Statistics) -> tuple[dict[str, float], dict[str, str]]:
    """The strengths that the statistics call for, and the measurement behind each."""
    span = found.lightest - found.darkest
    # A border taken as neutral is more reliable than assuming the picture is grey on average.
    weak, full, most = (8, 20, 0.8) if found.backdrop else (15, 35, 0.4)
    off = 50 - found.middle if found.middle < 50 else 0.0
    picked = {
        "denoise": ramp(found.noise, 3, 15, 0.8),
        "white_balance": ramp(found.cast, weak, full, most),
        "exposure": ramp(off, 12, 35, 0.7),
        "contrast": ramp(-span, -60, -25, 0.5),
        "sharpness": ramp(-found.sharpness, -0.5, -0.3, 0.6) if found.noise < 6 else 0.0,
    }
    reference = "backdrop" if found.backdrop else "whole picture"
    reasons = {
        "denoise": f"noise {found.noise:.1f} grey levels",
        "white_balance": f"cast {found.cast:.1f} Lab units by the {reference}",
        "exposure": f"median L {found.middle:.0f}",
        "contrast": f"L from {found.darkest:.0f} to {found.lightest:.0f}",
        "sharpness": f"fine detail {found.sharpness:.2f}",
    }
    return picked, reasons


def ramp(value: float, start: float, end: float, most: float) -> float:
    """0 up to `start`, rising to `most` at `end`, in hundredths; imperceptible strengths are 0."""
    strength = round(float(np.clip((value - start) / (end - start), 0, 1)) * most, 2)
    return strength if strength >= 0.05 else 0.0


def describe(strengths: dict[str, float], reasons: dict[str, str]) -> str:
    """One line: each strength with its measurement, then what was left alone."""
    done = [f"{step} {strengths[step]:g} ({reasons[step]})" for step in STEPS if strengths[step]]
    left = [f"{step} ({reasons[step]})" for step in STEPS if not strengths[step]]
    parts = [", ".join(done) or "nothing to do"] + ([f"left alone: {', '.join(left)}"] if left else [])
    return "enhance auto: " + "; ".join(parts)
