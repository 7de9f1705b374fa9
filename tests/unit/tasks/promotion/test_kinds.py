"""The table of kinds of slot: every family has one, and each kind judges by its own figures and bounds."""

from pathlib import Path

import pytest

from models.errors import InputError, TrainingError
from models.families.discovery import load_family
from tasks.evaluation.generators import EvaluateConfig
from tasks.evaluation.report import Figure
from tasks.evaluation.yardstick import Yardstick
from tasks.pipeline.steps import ensure_generator_report
from tasks.promotion.bounds import GateBounds
from tasks.promotion.editor_gate import EditorBounds
from tasks.promotion.gate import Servability
from tasks.promotion.kinds import EDITS, GENERATES, KINDS, kind_of, slot_kind
from tasks.workspace.progress import NullProgress
from tasks.workspace.settings import Settings
from tests.families import FAMILIES
from tests.reports import make_report

SERVED = Servability(max_abs_difference=1e-5, latency_ms=10.0, memory_mb=100.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_competes_for_slots_of_one_kind(family):
    assert slot_kind(family) is KINDS[kind_of(family)]
    assert (slot_kind(family) is GENERATES) == (load_family(family).capability == "generate")


def test_an_unknown_family_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"family: got 'espnc', allowed: one of .*espcn"):
        slot_kind("espnc")


def test_a_generator_is_judged_by_its_distance(tmp_path):
    report = make_report(frechet_distance_untrained=100.0)
    bounds = GateBounds(min_category_recall=0.0, max_category_distance_of_untrained=1.0)
    verdict = GENERATES.judge(Settings(root=tmp_path), report, None, bounds, SERVED)
    assert verdict.figures["distance"] == 20.0
    assert any("of the untrained" in line or "untrained" in line for line in [*verdict.held, *verdict.reasons])


def test_an_editor_is_judged_by_its_gain(tmp_path):
    report = make_report()
    names = {"psnr": (30.0, 31.0), "baseline_psnr": (29.0, 29.5)}
    figures = [
        Figure(name=name, value=value, category=category, higher_is_better=True)
        for name, values in names.items()
        for value, category in zip(values, (None, "bag"), strict=True)
    ]
    protocol = report.protocol | {"measured": "PSNR", "baseline": "bicubic"}
    edited = report.model_copy(update={"criterion": "psnr", "figures": figures, "protocol": protocol})
    verdict = EDITS.judge(Settings(root=tmp_path), edited, None, EditorBounds(min_gain=2.0), SERVED)
    assert verdict.reasons == [
        "PSNR 30.00 dB over 10,000 held-out images, bicubic 29.00 dB: gain +1.00 dB, must be at least +2.00"
    ]


def test_a_generator_cannot_be_measured_without_a_ruler(tmp_path):
    yardstick = Yardstick(None, EvaluateConfig())
    with pytest.raises(TrainingError, match="generated images can be measured by a ruler only"):
        ensure_generator_report(
            Settings(root=tmp_path).home, Path("generator.onnx"), "dcgan", yardstick, NullProgress()
        )
