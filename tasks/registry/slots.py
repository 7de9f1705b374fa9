"""Which slot a model competes for, and the family behind an exported editing network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import InputError
from models.families.discovery import load_family

if TYPE_CHECKING:
    from models.families.family import ImageShape
    from models.families.restoration import RestorationFamily


def slot_of_editor(capability: str, facts: Mapping[str, object]) -> str:
    """One for each scale (`upscale-x2`) or style (`stylize-mosaic`), else the capability's name."""
    if "style" in facts:
        return slot_of_style(str(facts["style"]))
    return f"{capability}-x{facts['scale']}" if "scale" in facts else capability


def rebuild(name: str, facts: Mapping[str, object], shape: ImageShape) -> RestorationFamily:
    """The family named in an exported file, with the facts that its config shares with the file.

    It degrades images as in training; its own weights are random and mean nothing.

    Raises:
        InputError: the family does not edit.
    """
    from models.families.restoration import RestorationFamily

    kind = load_family(name)
    if not issubclass(kind, RestorationFamily):
        raise InputError("family", name, "one that edits photographs")
    return kind(kind.Config.model_validate(share_facts(name, facts) | {"family": name}), shape)


def share_facts(family: str, facts: Mapping[str, object]) -> dict[str, object]:
    """The recipe parameters stated in an exported file, such as its `scale`."""
    fields = load_family(family).Config.model_fields.keys() - {"family"}
    return {name: value for name, value in facts.items() if name in fields}


def name_style(style: str) -> str:
    """The name of a style, or of a style picture's file, in the characters allowed for slots."""
    return re.sub("[^a-z0-9]+", "-", Path(style).stem.lower()).strip("-")


def slot_of_style(style: str) -> str:
    """The slot of networks trained for one style; styles do not compete with one another."""
    return f"stylize-{name_style(style)}"


def slot_of(catalogue: str) -> str:
    """The slot that the generators of a catalogue compete for."""
    return f"generate-{catalogue}"
