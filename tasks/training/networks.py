"""A family's networks for the prepared images, from a seed or from given weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from models.families.discovery import load_family
from models.families.family import Family, FamilyConfig, GradientConfig, GradientFamily, ImageShape
from models.training.initial import Start, start_from
from tasks.dataset.prepared import PreparedSet

if TYPE_CHECKING:
    from tasks.training.initial import Initial


def load_initial(family: Family, initial: Initial | None) -> Start | None:
    """Load the weights that the recipe starts from into the family's networks; None when it starts from the seed."""
    if initial is None or not isinstance(family, GradientFamily):
        return None
    return start_from(family, initial.path)


def build_family(config: FamilyConfig, prepared: PreparedSet) -> Family:
    """The family's networks for the prepared images, with the weights that the seed gives."""
    torch.manual_seed(config.seed)
    shape = ImageShape(prepared.shape[2], prepared.shape[0], len(prepared.categories))
    return load_family(config.family)(config, shape)


def build_gradient_family(config: GradientConfig, prepared: PreparedSet) -> GradientFamily:
    """The same for a family that the trainer trains."""
    family = build_family(config, prepared)
    if not isinstance(family, GradientFamily):
        raise TypeError(f"{config.family} is not trained by gradients")
    return family
