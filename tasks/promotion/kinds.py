"""The kinds of slot, and all that differs between them: what measures, judges, bounds and describes a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from models.exported.editor import ExportedRestoration
from models.families.discovery import Kind, kind_of
from tasks.dataset.prepared import PreparedSet
from tasks.evaluation.report import EvaluationReport
from tasks.evaluation.yardstick import Yardstick
from tasks.pipeline.candidate import Candidate
from tasks.pipeline.outcome import StepResult
from tasks.pipeline.steps import ensure_editor_report, ensure_generator_report
from tasks.promotion.bounds import GateBounds, ServingBounds
from tasks.promotion.card import write_card
from tasks.promotion.comparison import compare_generators, scores_of
from tasks.promotion.editor_card import write_editor_card
from tasks.promotion.editor_gate import EditorBounds, compare_editors, judge_editor
from tasks.promotion.gate import GateVerdict, Servability, judge_generator
from tasks.registry.loading import VersionInfo
from tasks.registry.slots import share_facts, slot_of, slot_of_editor
from tasks.training.result import FitResult
from tasks.workspace.progress import Progress

Bounds = TypeVar("Bounds", bound=ServingBounds)


@dataclass(frozen=True)
class SlotKind(Generic[Bounds]):
    """What is done for the slots of one kind."""

    name_slot: Callable[[FitResult, PreparedSet], str]
    """The slot that a finished training competes for."""
    has_ruler: bool
    """Whether a network measures what its versions make."""
    evaluate: Callable[[Path, Path, str, Yardstick, Progress, Path | None], StepResult[EvaluationReport]]
    """Measures an exported file of a family; the last is the folder of its training, where that is known."""
    bounds: type[Bounds]
    """What a challenger must hold."""
    section: tuple[str, ...]
    """Where `params.yaml` has the bounds."""
    judge: Callable[[Path, EvaluationReport, EvaluationReport | None, Bounds, Servability], GateVerdict]
    """The gate's verdict on a challenger, beside the champion if there is one."""
    write_card: Callable[[str, Candidate, Mapping[str, str]], str]
    """The card of a version of a slot, from the recipe by name."""
    keep: Callable[[VersionInfo], dict[str, object]]
    """What of a champion's recipe its slot is for, so that every challenger has it."""


def name_generator_slot(_: FitResult, prepared: PreparedSet) -> str:
    """The generators of a catalogue compete for one slot."""
    return slot_of(prepared.catalogue)


def name_editor_slot(fitted: FitResult, _: PreparedSet) -> str:
    """The editing networks of one capability, and scale or style, compete for one slot."""
    exported = ExportedRestoration(fitted.onnx)
    return slot_of_editor(exported.capability, exported.facts)


def hold_generator(
    home: Path,
    report: EvaluationReport,
    champion: EvaluationReport | None,
    bounds: GateBounds,
    servability: Servability,
) -> GateVerdict:
    """Judge a generator by its distance to real images."""
    if champion is None:
        return judge_generator(scores_of(report), None, bounds, servability, None)
    comparison = compare_generators(home, report, champion)
    return judge_generator(scores_of(report), scores_of(champion), bounds, servability, comparison)


def hold_editor(
    home: Path,
    report: EvaluationReport,
    champion: EvaluationReport | None,
    bounds: EditorBounds,
    servability: Servability,
) -> GateVerdict:
    """Judge an editing network by what it restores of each image."""
    comparison = compare_editors(home, report, champion) if champion else None
    return judge_editor(report, champion, bounds, servability, comparison)


def keep_facts(champion: VersionInfo) -> dict[str, object]:
    """Such as the scale that an editing network enlarges by."""
    return share_facts(champion.tags["family"], ExportedRestoration(champion.onnx_path).facts)


GENERATES = SlotKind[GateBounds](
    name_slot=name_generator_slot,
    has_ruler=True,
    evaluate=ensure_generator_report,
    bounds=GateBounds,
    section=("gate",),
    judge=hold_generator,
    write_card=write_card,
    keep=lambda _: {},
)
EDITS = SlotKind[EditorBounds](
    name_slot=name_editor_slot,
    has_ruler=False,
    evaluate=ensure_editor_report,
    bounds=EditorBounds,
    section=("editing", "gate"),
    judge=hold_editor,
    write_card=write_editor_card,
    keep=keep_facts,
)
KINDS: dict[Kind, SlotKind[Any]] = {"generates": GENERATES, "edits": EDITS}
"""By what the networks of a slot do."""


def slot_kind(family: str) -> SlotKind[Any]:
    """The kind of the slots that a family competes for.

    Raises:
        InputError: no family has that name.
    """
    return KINDS[kind_of(family)]
