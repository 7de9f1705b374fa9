"""How each rule is measured: one function per rule, which also says what would fix a picture that fails it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from models.imaging.inspection.borders import find_borders
from models.imaging.inspection.overlays import find_text
from models.imaging.inspection.product import measure_area, measure_extent, measure_white
from models.imaging.inspection.sharpness import measure_sharpness
from tasks.market.evidence import Evidence, Scene
from tasks.market.header import Header
from tasks.market.rules import Aspect, Ban, Bounds, ColourSpaces, Duty, Formats, Rule, RuleSet, Share, Size, Span
from tasks.photos.formats import BY_SUFFIX

NO_PRODUCT = "no product found"
WHITEN = "background:white"
TO_SRGB = "--icc srgb"
MOST_UPSCALED = 4
MOST_SIDE = 21  # of an aspect in small numbers: 21:9 is the widest that is called so
SPARE = 0.02  # the product is found again in the fixed picture, and its box may come out that much smaller
AROUND = 0.01  # of the longest side: how far a letter's shadow and compression ringing spread
UNITS = {"longest_side": " px", "shortest_side": " px", "megapixels": " MP", "megabytes": " MB", "sharpness": " ‰"}


class Finding(NamedTuple):
    """The outcome of a rule; `fix` would fix it, "" when nothing of ours can."""

    passed: bool
    measured: str
    fix: str = ""


def measure(name: str, rule: Rule, evidence: Evidence, rules: RuleSet) -> Finding:
    """The finding of the rule called `name`; a rule that needs pixels that cannot be read fails, and says why."""
    if name in BY_HEADER:
        return BY_HEADER[name](rule, evidence.header, rules)
    if evidence.scene is None:
        return Finding(False, f"not measured: {evidence.unseen}")
    return BY_PIXELS[name](rule, evidence.scene, rules)


def require(name: str, rule: Rule) -> str:
    """What the rule called `name` asks for, in words."""
    if isinstance(rule, Bounds):
        unit = "%" if isinstance(rule, Share) else UNITS.get(name, "")
        named = name_aspect if isinstance(rule, Aspect) and rule.one_of else None
        return " or ".join(_between(span, unit, named) for span in rule.spans)
    if isinstance(rule, (Formats, ColourSpaces)):
        return " or ".join(rule.allowed)
    return DUTIES[name] if isinstance(rule, Duty) else "none"


def _between(span: Span, unit: str, named: Callable[[float], str] | None = None) -> str:
    low, high = (
        None if bound is None else named(bound) if named else f"{bound * (100 if unit == '%' else 1):g}"
        for bound in (span.minimum, span.maximum)
    )
    if low is None or high is None:
        return f"at most {high}{unit}" if low is None else f"at least {low}{unit}"
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def name_aspect(aspect: float) -> str:
    """An aspect as people say it: square, 4:3, or 1.91:1 where no small numbers are that."""
    near = Fraction(aspect).limit_denominator(MOST_SIDE)
    if near == 1:
        return "square"
    simple = abs(near - aspect) < 1e-6 and near.numerator <= MOST_SIDE
    return f"{near.numerator}:{near.denominator}" if simple else f"{round(aspect, 3):g}:1"


def _format(rule: Formats, header: Header, rules: RuleSet) -> Finding:
    return Finding(header.format in rule.allowed, header.format, f"--format {rule.preferred}")


def _suffix(rule: Duty, header: Header, rules: RuleSet) -> Finding:
    suffix = header.name[header.name.rfind(".") :].lower()
    preferred = rules.format.preferred if rules.format else "jpg"
    fits = suffix in BY_SUFFIX and BY_SUFFIX[suffix].name == header.format
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
    return Finding(rule.holds(side), f"{side} px", _resize(rule, side, longest))


def _resize(rule: Size, side: int, longest: int) -> str:
    """What brings `side` to the nearest that is allowed."""
    wanted = rule.nearest(side, rule.may_enlarge)
    if wanted < side:
        return f"frame,side={math.floor(longest * wanted / side)}"
    times = max(2, math.ceil(wanted / side))
    if wanted == side or not rule.may_enlarge or times > MOST_UPSCALED:
        return ""
    return f"upscale:{times}" if rule.holds(times * side) else f"frame,side={math.ceil(longest * wanted / side)}"


def _megapixels(rule: Bounds, header: Header, rules: RuleSet) -> Finding:
    pixels = header.width * header.height / 1e6
    wanted, longest = rule.nearest(pixels), max(header.width, header.height)
    fix = f"frame,side={math.floor(longest * math.sqrt(wanted / pixels))}" if wanted < pixels else ""
    return Finding(rule.holds(pixels), f"{pixels:.2f} MP", fix)


def _aspect(rule: Aspect, header: Header, rules: RuleSet) -> Finding:
    aspect = max(header.width, header.height) / min(header.width, header.height)
    said = f"{aspect:.3f}" + (f" ({name_aspect(aspect)})" if rule.one_of else "")
    return Finding(rule.holds(round(aspect, 3)), said, f"frame,{_shape(rule, header.width, header.height)}")


def _shape(rule: Aspect, width: int, height: int) -> str:
    """The parameter of `frame` that gives a picture the allowed aspect which is nearest to its own."""
    wanted = rule.nearest(max(width, height) / min(width, height))
    if wanted == 1:
        return "square=true"
    near = Fraction(wanted).limit_denominator(1000)
    sides = (near.numerator, near.denominator) if width >= height else (near.denominator, near.numerator)
    return f"aspect={sides[0]}:{sides[1]}"


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
    nearest = rule.nearest(share)
    wanted = min(1.0, nearest + SPARE) if share < nearest else nearest - SPARE
    size = rules.longest_side
    least = f",minimum_side={size.minimum:.0f}" if size and size.minimum and size.may_enlarge else ""
    height, width = scene.matte.shape
    shape = "square=true" if not rules.aspect or rules.aspect.holds(1) else _shape(rules.aspect, width, height)
    fix = f"frame,share={wanted:.2f}{by},{shape}{least}"
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
