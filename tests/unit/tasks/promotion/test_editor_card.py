"""The card of an editing network: what it gains on no training at all, and by category the smallest gain first."""

from pathlib import Path

import pytest

from models.training.speed import SpeedPlan
from tasks.dataset.validate import ValidationReport
from tasks.evaluation.report import EvaluationReport, Figure
from tasks.pipeline.candidate import Candidate
from tasks.promotion.editor_card import tabulate, tabulate_categories, write_editor_card
from tasks.training.result import FitResult
from tests.prepared import write_prepared

VALIDATION = ValidationReport(
    key="v" * 32, success=True, suite="photos", suite_digest="s", evaluated=40, checks=[], failures=[], quarantined=[],
    data_docs=Path("docs"), contact_sheet=None,
)  # fmt: skip


def figure(name, value, category=None, spread=None):
    return Figure(name=name, value=value, category=category, spread=spread, higher_is_better=True)


@pytest.fixture
def report():
    figures = [figure("psnr", 31.25, spread=1.5), figure("baseline_psnr", 29.0), figure("ssim", 0.9)]
    for category, ours, baseline in (("bag", 33.0, 30.0), ("boot", 30.0, 29.5), ("shirt", 28.0, 28.5)):
        figures += [figure("psnr", ours, category), figure("baseline_psnr", baseline, category)]
    protocol = {"measured": "PSNR of luma", "baseline": "bicubic", "samples": 40}
    return EvaluationReport(
        key="k" * 32, catalogue="shop", family="espcn", conditional=False, onnx_sha256="o" * 64, prepared_key="p" * 32,
        data_md5="d" * 32, criterion="psnr", protocol=protocol, figures=figures,
    )  # fmt: skip


@pytest.fixture
def prepared(tmp_path):
    return write_prepared(tmp_path / "prepared", channels=3, catalogue="shop")


def test_figures_over_all_images_are_shown_with_their_spread(report):
    lines = tabulate(report).splitlines()
    assert lines[2:] == ["| **psnr** (ranks) | 31.25 ± 1.5 |  |", "| baseline psnr | 29 |  |", "| ssim | 0.9 |  |"]


def test_the_category_that_gains_least_comes_first(report):
    lines = tabulate_categories(report).splitlines()
    assert lines[0] == "| category | PSNR of luma, dB | gain |"
    assert lines[2:] == ["| shirt | 28.00 | -0.50 |", "| boot | 30.00 | +0.50 |", "| bag | 33.00 | +3.00 |"]


def test_a_card_says_what_it_is_for_and_where_it_ends(report, prepared):
    fitted = FitResult(
        key="f" * 32, family="espcn", folder=Path("training"), run_id="a" * 32, steps=1200, best_step=900,
        criterion="validation_negative_psnr", best_value=-31.2, seconds=70.4, images_per_second=340.0,
        export_difference=1e-6, onnx_sha256="o" * 64,
        plan=SpeedPlan(precision="32-true", memory_format="contiguous"),
    )  # fmt: skip
    candidate = Candidate(fitted, report, prepared, VALIDATION, {})
    card = write_editor_card("upscale-x2", candidate, {"scale": "2"})
    assert card.startswith("# espcn for `upscale-x2`\n")
    assert "the operation `upscale` of `packshot edit`" in card
    assert "1,200 updates at 340 images/s" in card
    assert "DVC md5 `" + "d" * 32 in card
    assert "measured PSNR of luma" in card
    assert "`scale` 2" in card
    assert "**Limits**" in card
