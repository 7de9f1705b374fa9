"""How each rule is measured: one function a rule, which also says what would mend a picture that fails it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from models.imaging.inspection.borders import find_borders
from models.imaging.inspection.overlays import find_text
from models.imaging.inspection.product import measure_area, measure_extent, measure_white
from models.imaging.inspection.sharpness import measure_sharpness
from tasks.market.evidence import Evidence, Scene
from tasks.market.header import Header
from tasks.market.rules import Ban, Bounds, ColourSpaces, Duty, Formats, Rule, RuleSet, Share, Size
from tasks.photos.reading import SUFFIXES

NO_PRODUCT = "no product found"
WHITEN = "background:white"
TO_SRGB = "--icc srgb"
MOST_UPSCALED = 4
SPARE = 0.02  # the product is found again in the mended picture, and its box may come out that much smaller
AROUND = 0.01  # of the longest side: what a letter's shadow and compression's ringing spread to
UNITS = {"longest_side": " px", "shortest_side": " px", "megapixels": " MP", "megabytes": " MB", "sharpness": " ‰"}


class Finding(NamedTuple):
    """What a rule came to; `fix` would mend it, "" where nothing of ours can."""

    passed: bool
    measured: str
    fix: str = ""


def measure(name: str, rule: Rule, evidence: Evidence, rules: RuleSet) -> Finding:
    """The finding of the rule called `name`; one that needs pixels which cannot be seen fails, and says why."""
    if name in BY_HEADER:
        return BY_HEADER[name](rule, evidence.header, rules)
    if evidence.scene is None:
        return Finding(False, f"not measured: {evidence.unseen}")
    return BY_PIXELS[name](rule, evidence.scene, rules)


def require(name: str, rule: Rule) -> str:
    """What the rule called `name` asks for, in words."""
    if isinstance(rule, Bounds):
        return _between(rule, "%" if isinstance(rule, Share) else UNITS.get(name, ""))
    if isinstance(rule, (Formats, ColourSpaces)):
        return " or ".join(rule.allowed)
    return DUTIES[name] if isinstance(rule, Duty) else "none"


def _between(rule: Bounds, unit: str) -> str:
    low, high = (
        None if bound is None else bound * (100 if unit == "%" else 1) for bound in (rule.minimum, rule.maximum)
    )
    if low is None or high is None:
        return f"at most {high:g}{unit}" if low is None else f"at least {low:g}{unit}"
    return f"{low:g} to {high:g}{unit}"


def _format(rule: Formats, header: Header, rules: RuleSet) -> Finding:
    return Finding(header.format in rule.allowed, header.format, f"--format {rule.preferred}")


def _suffix(rule: Duty, header: Header, rules: RuleSet) -> Finding:
    suffix = header.name[header.name.rfind(".") :].lower()
    preferred = rules.format.preferred if rules.format else "jpg"
    fits = suffix in SUFFIXES.get(header.format, ())
    return Finding(fits, f"{suffix}, the file is {header.format}", f"--format {preferred}")


def _megabytes(rule: Bounds, header: Header, rules: RuleSet) -> Finding:
    fix = "--format jpg" if header.format != "JPEG" else ""
    return Finding(rule.holds(header.megabytes), f"{header.megabytes:.2f} MB", fix)


def _animation(rule: Ban, header: Header, rules: RuleSet) -> Finding:
    return Finding(header.frames == 1, f"{header.frames} frames" if header.frames > 1 else "none")


def _transparency(rule: Ban, header: Header, rules: RuleSet) -> Finding:
    return Finding(not header.transparent, "an alpha channel" if header.transparent else "none", "--format jpg")


def _colour_space(rule: ColourSpaces, header: Header, rules: RuleSet) -> Finding:
    said = header.colour_space if header.tagged else f"{header.colour_space}, no profile"
    return Finding(header.colour_space in rule.allowed, said, TO_SRGB)


def _ai_label(rule: Duty, header: Header, rules: RuleSet) -> Finding:
    label = header.label.rpartition("/")[2] or "no label"
    if not header.generated_by:
        return Finding(True, f"{label}; no record that it was generated")
    return Finding(header.is_labelled, f"{label}; made by {header.generated_by}")


def _longest_side(rule: Size, header: Header, rules: RuleSet) -> Finding:
    return _side(rule, max(header.width, header.height), max(header.width, header.height))


def _shortest_side(rule: Size, header: Header, rules: RuleSet) -> Finding:
    return _side(rule, min(header.width, header.height), max(header.width, header.height))


def _side(rule: Size, side: int, longest: int) -> Finding:
    fix = ""
    if rule.maximum is not None and side > rule.maximum:
        fix = f"frame,side={math.floor(longest * rule.maximum / side)}"
    elif rule.minimum is not None and side < rule.minimum and rule.may_enlarge:
        times = math.ceil(rule.minimum / side)
        fix = f"upscale:{max(2, times)}" if times <= MOST_UPSCALED else ""
    return Finding(rule.holds(side), f"{side} px", fix)


def _megapixels(rule: Bounds, header: Header, rules: RuleSet) -> Finding:
    pixels = header.width * header.height / 1e6
    fix = ""
    if rule.maximum is not None and pixels > rule.maximum:
        fix = f"frame,side={math.floor(max(header.width, header.height) * math.sqrt(rule.maximum / pixels))}"
    return Finding(rule.holds(pixels), f"{pixels:.2f} MP", fix)


def _aspect(rule: Bounds, header: Header, rules: RuleSet) -> Finding:
    aspect = max(header.width, header.height) / min(header.width, header.height)
    square = (rule.minimum or 1) <= 1
    return Finding(rule.holds(round(aspect, 3)), f"{aspect:.3f}", "frame,square=true" if square else "")


def _borders(rule: Ban, scene: Scene, rules: RuleSet) -> Finding:
    found = find_borders(scene.pixels)
    sides = ", ".join(f"{side} {depth} px" for side, depth in found._asdict().items() if depth)
    return Finding(not found.framed, sides if found.framed else "none seen", WHITEN)


def _text(rule: Ban, scene: Scene, rules: RuleSet) -> Finding:
    lines = find_text(scene.pixels, scene.matte > 0.5)
    if not lines:
        return Finding(True, "none seen beside the product")
    height, width = scene.matte.shape
    air = math.ceil(AROUND * max(height, width))
    boxes = [
        (max(0, one.left - air), max(0, one.top - air), min(width, one.right + air), min(height, one.bottom + air))
        for one in lines
    ]
    places = "; ".join(f"{left},{top} to {right},{bottom}" for left, top, right, bottom in boxes)
    return Finding(False, f"{len(lines)} lines: {places}", f"inpaint,boxes={json.dumps(boxes, separators=(',', ':'))}")


def _white_background(rule: Share, scene: Scene, rules: RuleSet) -> Finding:
    white = measure_white(scene.pixels, scene.matte)
    if white is None:
        return Finding(False, "no background in sight")
    return Finding(rule.holds(white), f"{100 * white:.1f}%{scene.doubt}", WHITEN)


def _product_box(rule: Share, scene: Scene, rules: RuleSet) -> Finding:
    return _share(rule, scene, rules, measure_extent(scene.matte, scene.box) if scene.box else None, "")


def _product_area(rule: Share, scene: Scene, rules: RuleSet) -> Finding:
    return _share(rule, scene, rules, measure_area(scene.matte) if scene.box else None, ",measure=area")


def _share(rule: Share, scene: Scene, rules: RuleSet, share: float | None, by: str) -> Finding:
    if share is None:
        return Finding(False, NO_PRODUCT)
    wanted = min(1.0, (rule.minimum or 0) + SPARE) if share < (rule.minimum or 0) else (rule.maximum or 1) - SPARE
    size = rules.longest_side
    least = f",minimum_side={size.minimum:.0f}" if size and size.minimum and size.may_enlarge else ""
    fix = f"frame,share={wanted:.2f}{by},square=true{least}"
    return Finding(rule.holds(share), f"{100 * share:.1f}%{scene.doubt}", fix)


def _sharpness(rule: Bounds, scene: Scene, rules: RuleSet) -> Finding:
    height, width = scene.matte.shape
    sharpness = measure_sharpness(scene.pixels, scene.box or (0, 0, width, height))
    return Finding(rule.holds(sharpness), f"{sharpness:.1f} ‰")


BY_HEADER: dict[str, Callable[[Any, Header, RuleSet], Finding]] = {
    "format": _format,
    "suffix": _suffix,
    "megabytes": _megabytes,
    "animation": _animation,
    "transparency": _transparency,
    "colour_space": _colour_space,
    "ai_label": _ai_label,
    "longest_side": _longest_side,
    "shortest_side": _shortest_side,
    "megapixels": _megapixels,
    "aspect": _aspect,
}
BY_PIXELS: dict[str, Callable[[Any, Scene, RuleSet], Finding]] = {
    "borders": _borders,
    "text": _text,
    "white_background": _white_background,
    "product_box": _product_box,
    "product_area": _product_area,
    "sharpness": _sharpness,
}
DUTIES = {
    "suffix": "the suffix of the format",
    "ai_label": "a DigitalSourceType that says so, where it was generated",
}
