"""Which slot an editing network competes for, and the family that spoils images for it."""

from __future__ import annotations

from collections.abc import Mapping

from models import load_family
from models.errors import InputError
from models.family import FamilyConfig, ImageShape
from models.restoration import RestorationFamily


def slot_of_editor(capability: str, facts: Mapping[str, object]) -> str:
    """`upscale-x2` and the like where the network has a scale, else the capability's name."""
    return f"{capability}-x{facts['scale']}" if "scale" in facts else capability


def slot_of_recipe(config: FamilyConfig) -> str:
    """The slot that a recipe of an editing family competes for."""
    return slot_of_editor(load_family(config.family).capability, config.model_dump())


def is_editor(family: str) -> bool:
    """True for a family that edits photographs, false for one that generates images.

    Raises:
        InputError: no family has that name.
    """
    return issubclass(load_family(family), RestorationFamily)


def rebuild(name: str, facts: Mapping[str, object], shape: ImageShape) -> RestorationFamily:
    """The family that an exported file says it is of, with the facts that its config shares with the file.

    It spoils images as it did in training; its own weights are those of a seed and mean nothing.

    Raises:
        InputError: the family does not edit.
    """
    kind = load_family(name)
    if not issubclass(kind, RestorationFamily):
        raise InputError("family", name, "one that edits photographs")
    shared = {field: facts[field] for field in kind.Config.model_fields if field in facts}
    return kind(kind.Config.model_validate(shared | {"family": name}), shape)
