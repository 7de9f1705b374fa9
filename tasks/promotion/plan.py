"""The parameters of the steps around a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.families.discovery import load_family
from tasks.dataset.prepare import PrepareConfig
from tasks.evaluation.generators import EvaluateConfig
from tasks.promotion.bounds import ServingBounds
from tasks.promotion.kinds import slot_kind
from tasks.workspace.parameters import parse, read_mapping, read_prepare


@dataclass(frozen=True)
class Plan:
    """How a catalogue is prepared for a family, and how the versions that come of it are measured and judged."""

    prepare: PrepareConfig
    evaluate: EvaluateConfig
    gate: ServingBounds


def read_plan(root: Path, catalogue: str, family: str) -> Plan:
    """The plan of `params.yaml` for a family on a catalogue.

    Raises:
        InputError: an unknown family or parameter, or a value out of bounds.
    """
    kind = slot_kind(family)
    return Plan(
        prepare=parse(PrepareConfig, read_prepare(root, catalogue, load_family(family).capability)),
        evaluate=parse(EvaluateConfig, read_mapping(root, "evaluate")),
        gate=parse(kind.bounds, read_mapping(root, *kind.section)),
    )
