"""A marketplace's rules for product pictures: a YAML file, parsed into frozen models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import InputError

MARKETS = Path(__file__).with_name("markets")
SUFFIXES = (".yaml", ".yml")

FormatName = Literal["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "JPEG2000", "PPM"]
ColourSpace = Literal["sRGB", "grey", "CMYK", "Display P3", "Adobe RGB"]


class Rule(BaseModel):
    """What every rule has: where it is written, and why its bound is what it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(default="", description="the market's page that says so; the market's own when left out")
    why: str = Field(default="", description="what was measured, or how the page's words were read")


class Bounds(Rule):
    """A figure that must lie between `minimum` and `maximum`, both inclusive."""

    minimum: float | None = Field(default=None, ge=0)
    maximum: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """There is a bound, and the lower one is the lower."""
        if self.minimum is None and self.maximum is None:
            raise ValueError("a minimum, a maximum or both")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"a minimum of at most the maximum, {self.maximum:g}")
        return self

    def holds(self, value: float) -> bool:
        """Whether `value` lies within the bounds."""
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


class Size(Bounds):
    """A side in pixels."""

    may_enlarge: bool = Field(default=True, description="false where the market refuses pictures that were scaled up")


class Share(Bounds):
    """A share of the picture, or of its background."""

    minimum: float | None = Field(default=None, ge=0, le=1)
    maximum: float | None = Field(default=None, ge=0, le=1)


class Formats(Rule):
    """The file formats that are taken; `preferred` is what a fix writes."""

    allowed: tuple[FormatName, ...] = Field(min_length=1)
    preferred: Literal["jpg", "png", "webp", "tif"] = "jpg"


class ColourSpaces(Rule):
    """The colour spaces that are taken."""

    allowed: tuple[ColourSpace, ...] = Field(min_length=1)


class Ban(Rule):
    """Something that must not be there."""

    allowed: Literal[False]


class Duty(Rule):
    """Something that must be there."""

    required: Literal[True]


class RuleSet(BaseModel):
    """The rules that there are; a market has those that its file names."""

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
    aspect: Annotated[Bounds | None, Field(description="longest side by shortest")] = None
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


def list_markets() -> list[str]:
    """The names of the markets that come with Packshot."""
    return sorted(path.stem for path in MARKETS.glob("*.yaml"))


def load_market(name: str) -> Market:
    """The rules of a market that comes with Packshot, or of a YAML file.

    Raises:
        InputError: no such market or file, or a rule in it is unknown or wrong; what there is, is listed.
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
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("--market", str(path), f"a file that can be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError("--market", str(path), f"valid YAML: {' '.join(str(error).split())}") from error
    try:
        return Market.model_validate(values)
    except ValidationError as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: ValidationError) -> InputError:
    """The first complaint as one line: the file and the field, what came, what is allowed."""
    first = error.errors()[0]
    field = ".".join([path.name, *(str(part) for part in first["loc"])])
    if first["type"] == "extra_forbidden":
        return InputError(field, first["loc"][-1], _names(first["loc"][:-1]))
    received = "nothing" if first["type"] == "missing" else first["input"]
    allowed = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return InputError(field, received, "a value; the field is required" if first["type"] == "missing" else allowed)


def _names(inside: tuple[int | str, ...]) -> list[str]:
    """The fields of the model at `inside`, such as ("rules", "longest_side")."""
    model: Any = Market
    for part in inside:
        annotation = model.model_fields[str(part)].annotation
        model = next(
            one for one in (*get_args(annotation), annotation) if isinstance(one, type) and one is not type(None)
        )
    return list(model.model_fields)
