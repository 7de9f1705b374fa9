"""What each family costs: its number of parameters, and what its newest registered version took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.families.discovery import find_families, kind_of, load_family
from models.families.family import ImageShape
from tasks.registry.versions import VersionSummary
from tasks.workspace.parameters import load_recipe

SHAPE = ImageShape(channels=1, size=32, categories=10)
COSTS = ("latency_ms", "megabytes", "training_seconds")


@dataclass(frozen=True)
class FamilyCost:
    """One family's costs: `parameters` counts its generator's parameters, by the recipe in `params.yaml`."""

    name: str
    capability: str
    title: str
    parameters: str


def list_families(root: Path) -> list[FamilyCost]:
    """Every family with its parameters for ten categories of grey images of 32x32; rivals for one slot together."""
    families = sorted(find_families(), key=lambda name: (kind_of(name) != "generates", load_family(name).capability))
    return [
        FamilyCost(
            name, load_family(name).capability, load_family(name).title, f"{count_recipe_parameters(root, name):,}"
        )
        for name in families
    ]


def count_recipe_parameters(root: Path, family: str) -> int:
    """The number of values in the generator's state, counted without allocating them."""
    import torch

    with torch.device("meta"):
        made = load_family(family)(load_recipe(root, family, {}), SHAPE)
        return sum(kept.numel() for kept in made.generator.state_dict().values())


def measured_costs(versions: Iterable[VersionSummary]) -> dict[str, tuple[str, ...]]:
    """The costs of each family's newest version, of any slot, that has them in its tags."""
    newest: dict[str, VersionSummary] = {}
    for version in sorted(versions, key=lambda version: version.created):
        if any(name in version.tags for name in COSTS):
            newest[version.tags["family"]] = version
    return {family: tuple(version.tags.get(name, "") for name in COSTS) for family, version in newest.items()}
