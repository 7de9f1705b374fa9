"""All families, as they are found, and what makes each of them small enough for a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotated_types import Ge
from pydantic.fields import FieldInfo

from models.families.adversarial import AdversarialFamily
from models.families.discovery import find_families, load_family
from models.families.family import FamilyConfig, GradientConfig, GradientFamily

FAMILIES = tuple(find_families())
GENERATING = tuple(name for name, kind in find_families().items() if kind == "generates")
EDITING = tuple(name for name, kind in find_families().items() if kind == "edits")
GRADIENT = tuple(name for name in FAMILIES if issubclass(load_family(name), GradientFamily))
GANS = tuple(name for name in FAMILIES if issubclass(load_family(name), AdversarialFamily))

STYLE = str(Path(__file__).resolve().parents[1] / "docs" / "images" / "products.png")
SHORT: dict[str, Any] = {"epochs": 3, "batch_size": 16, "evaluations_per_epoch": 2}
LOWER = 4
"""What every size is divided by, unless its bound is nearer."""


def shrink(name: str) -> dict[str, Any]:
    """The parameters that make a family small: its whole numbers lowered, few images, and its own word on the rest."""
    family = load_family(name)
    trained = issubclass(family, GradientFamily)
    shared = GradientConfig.model_fields if trained else FamilyConfig.model_fields
    own = {key: field for key, field in family.Config.model_fields.items() if key not in shared}
    sizes = {key: max(least(field), field.default // LOWER) for key, field in own.items() if field.annotation is int}
    style = {"style": STYLE} if "style" in own else {}
    return {**(SHORT if trained else {}), **sizes, **style, **family.tiny}


def least(field: FieldInfo) -> int:
    """The lower bound of a whole number; 1 when it has none."""
    return next((int(str(bound.ge)) for bound in field.metadata if isinstance(bound, Ge)), 1)
