"""A marketplace's rules for product pictures: a YAML file, parsed into frozen models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import InputError
from tasks.market.listing import MARKETS, list_markets
from tasks.operations.contract.aspect import read_aspect
from tasks.photos.formats import FileFormat, FormatName
from tasks.workspace.wording import input_error

SUFFIXES = (".yaml", ".yml")
WHOLE_PIXELS = 0.005
"""By which share a picture may miss an aspect: two pixels of 400."""

ColourSpace = Literal["sRGB", "grey", "CMYK", "Display P3", "Adobe RGB"]


class Rule(BaseModel):
    """What every rule has: its source, and the reason for its bound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(default="", description="the market's page that says so; the market's own when left out")
    why: str = Field(default="", description="what was measured, or how the page's words were read")


class Span(BaseModel):
    """What a figure may be: from `minimum` to `maximum`, both inclusive; one number allows that alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum: float | None = Field(default=None, ge=0)
    maximum: float | None = Field(default=None, ge=0)

    @model_validator(mode="before")
    @classmethod
    def read(cls, value: object) -> object:
        """A number is the span of that number alone."""
        return {"minimum": value, "maximum": value} if isinstance(value, (int, float)) else value

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """At least one bound is given, and the minimum does not exceed the maximum."""
        _check_order(self.minimum, self.maximum)
        return self

    def holds(self, value: float) -> bool:
        """Whether `value` lies within the span."""
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)

    def nearest(self, value: float) -> float:
        """`value`, or the end of the span that is nearest to it."""
        raised = value if self.minimum is None else max(value, self.minimum)
        return raised if self.maximum is None else min(raised, self.maximum)


class Bounds(Rule):
    """A figure that must lie between `minimum` and `maximum`, both inclusive, or in one of several such spans."""

    minimum: float | None = Field(default=None, ge=0)
    maximum: float | None = Field(default=None, ge=0)
    one_of: tuple[Span, ...] = Field(default=(), description="numbers, or spans with a minimum and a maximum")

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """There is a bound, and the lower one is the lower; or there are several spans instead."""
        if self.one_of and (self.minimum, self.maximum) != (None, None):
            raise ValueError("a minimum, a maximum or both, or else one_of; not one beside the other")
        if not self.one_of:
            _check_order(self.minimum, self.maximum)
        return self

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans of which one must hold."""
        return self.one_of or (Span(minimum=self.minimum, maximum=self.maximum),)

    def holds(self, value: float) -> bool:
        """Whether `value` lies within the bounds."""
        return any(span.holds(value) for span in self.spans)

    def nearest(self, value: float, may_grow: bool = True) -> float:
        """`value` where it holds, else what is allowed nearest to it, by their ratio; smaller if it may not grow."""
        if self.holds(value):
            return value
        ends = [span.nearest(value) for span in self.spans]
        if not may_grow:
            ends = [end for end in ends if end <= value] or ends
        return min(ends, key=lambda end: max(end, value) / max(min(end, value), sys.float_info.min))


def _check_order(minimum: float | None, maximum: float | None) -> None:
    if minimum is None and maximum is None:
        raise ValueError("a minimum, a maximum or both, or else one_of")
    if minimum is not None and maximum is not None and minimum > maximum:
        raise ValueError(f"a minimum of at most the maximum, {maximum:g}")


class Size(Bounds):
    """A side in pixels."""

    may_enlarge: bool = Field(default=True, description="false where the market refuses pictures that were scaled up")


class ShareSpan(Span):
    """A span of shares."""

    minimum: float | None = Field(default=None, ge=0, le=1)
    maximum: float | None = Field(default=None, ge=0, le=1)


class Share(Bounds):
    """A share of the picture, or of its background."""

    minimum: float | None = Field(default=None, ge=0, le=1)
    maximum: float | None = Field(default=None, ge=0, le=1)
    one_of: tuple[ShareSpan, ...] = Field(default=(), description="spans with a minimum and a maximum")


class AspectSpan(Span):
    """A span of aspects, the longest side by the shortest; one is written as 4:3, as square or as a number."""

    @model_validator(mode="before")
    @classmethod
    def read(cls, value: object) -> object:
        """`4:3` and `3:4` are the aspect 1.333 alone."""
        if isinstance(value, str):
            aspect = read_aspect("1:1" if value == "square" else value)
            value = max(aspect, 1 / aspect)
        return {"minimum": value, "maximum": value} if isinstance(value, (int, float)) else value

    def holds(self, value: float) -> bool:
        """Whether `value` lies within the span, but for what whole pixels leave of an aspect."""
        return super().holds(value) or abs(value / self.nearest(value) - 1) <= WHOLE_PIXELS


class Aspect(Bounds):
    """How much longer the longest side is than the shortest."""

    one_of: tuple[AspectSpan, ...] = Field(default=(), description="such as 4:3, square, or spans")


class Formats(Rule):
    """The file formats that are taken; `preferred` is what a fix writes."""

    allowed: tuple[FormatName, ...] = Field(min_length=1)
    preferred: FileFormat = "jpg"


class ColourSpaces(Rule):
    """The colour spaces that are taken."""

    allowed: tuple[ColourSpace, ...] = Field(min_length=1)


class Ban(Rule):
    """Something that must be absent."""

    allowed: Literal[False]


class Duty(Rule):
    """Something that must be present."""

    required: Literal[True]


class RuleSet(BaseModel):
    """All known rules; a market has those its file names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Formats | None = None
    suffix: Annotated[Duty | None, Field(description="the name ends as the format's do")] = None
    megabytes: Bounds | None = None
    animation: Ban | None = None
    transparency: Ban | None = None
    colour_space: ColourSpaces | None = None
    ai_label: Annotated[Duty | None, Field(description="a picture that was generated says so")] = None
    longest_side: Size | None = None
    shortest_side: Size | None = None
    megapixels: Bounds | None = None
    aspect: Annotated[Aspect | None, Field(description="longest side by shortest")] = None
    borders: Ban | None = None
    text: Ban | None = None
    white_background: Annotated[Share | None, Field(description="of the background that is RGB 255, 255, 255")] = None
    product_box: Annotated[Share | None, Field(description="longest extent of the product's box in the frame")] = None
    product_area: Annotated[Share | None, Field(description="of the frame that the product covers")] = None
    sharpness: Bounds | None = None

    @model_validator(mode="after")
    def check_rules(self) -> Self:
        """There is a rule."""
        if not self.named():
            raise ValueError(f"at least one of {', '.join(type(self).model_fields)}")
        return self

    def named(self) -> dict[str, Rule]:
        """The rules that the file names, by name, in the order of the report."""
        return {name: rule for name in type(self).model_fields if (rule := getattr(self, name)) is not None}


class Market(BaseModel):
    """A market's name, the page that its rules are from, and the rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    market: str = Field(min_length=1)
    title: str = ""
    source: str = Field(min_length=1, description="title of the page, and its year")
    rules: RuleSet


class RuleLoader(yaml.SafeLoader):
    """YAML in which 4:3 is a text: by YAML 1.1 it is 243, since colons count in sixties."""

    def construct_number(self, node: yaml.ScalarNode) -> int | str:
        """A whole number, or the text of one with colons."""
        text = str(self.construct_scalar(node))
        return text if ":" in text else int(self.construct_yaml_int(node))


RuleLoader.add_constructor("tag:yaml.org,2002:int", RuleLoader.construct_number)


def load_market(name: str) -> Market:
    """The rules of a market that comes with Packshot, or of a YAML file.

    Raises:
        InputError: no such market or file, or a rule in it is unknown or wrong; the message lists what is known.
    """
    if name in list_markets():
        return read_market(MARKETS / f"{name}.yaml")
    path = Path(name)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError("--market", name, [*list_markets(), "a file of rules that ends in .yaml"])
    return read_market(path)


def read_market(path: Path) -> Market:
    """The rules in the file at `path`.

    Raises:
        InputError: as `load_market`.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), RuleLoader)
    except OSError as error:
        raise InputError("--market", str(path), f"a file that can be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError("--market", str(path), f"valid YAML: {' '.join(str(error).split())}") from error
    try:
        return Market.model_validate(values)
    except ValidationError as error:
        raise input_error(error, Market, path.name) from error
