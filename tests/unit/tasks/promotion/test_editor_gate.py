"""The gate of editing networks: what is asked of a challenger, and how it is held against the champion."""

import math

import numpy as np
import pytest

from models.errors import InputError
from tasks.evaluation.editors import SCORES
from tasks.evaluation.report import EvaluationReport, Figure, evaluation_folder
from tasks.promotion.editor_gate import EditorBounds, compare_editors, judge_editor
from tasks.promotion.gate import Servability
from tasks.workspace.settings import Settings

SERVED = Servability(max_abs_difference=1e-5, latency_ms=10.0, memory_mb=100.0)
NOISE = np.random.default_rng(0).normal(0, 1, 200)


def make_report(settings, key, psnr=30.0, categories=(31.0, 29.0), baseline=(30.0, 28.0), reference="a" * 64):
    """A report whose scores lie where the gate looks for them."""
    folder = evaluation_folder(settings.home, key)
    folder.mkdir(parents=True)
    np.savez(folder / SCORES, psnr=psnr + NOISE)
    figures = [("psnr", psnr, None), ("baseline_psnr", sum(baseline) / 2, None)]
    figures += [("psnr", value, name) for name, value in zip("AB", categories, strict=True)]
    figures += [("baseline_psnr", value, name) for name, value in zip("AB", baseline, strict=True)]
    return EvaluationReport(
        key=key,
        catalogue="shapes",
        family="espcn",
        conditional=False,
        onnx_sha256="0" * 64,
        prepared_key="p",
        data_md5="d",
        criterion="psnr",
        protocol={
            "reference_digest": reference,
            "extractor_digest": "e",
            "seed": 1,
            "samples": 200,
            "baseline": "bicubic",
            "measured": "PSNR",
        },
        figures=[Figure(name=name, value=value, category=at, higher_is_better=True) for name, value, at in figures],
    )


@pytest.fixture
def settings(tmp_path):
    return Settings(PACKSHOT_HOME=tmp_path)


def test_a_first_version_must_gain_on_no_training_at_all_and_in_each_category(settings):
    good = judge_editor(make_report(settings, "good"), None, EditorBounds(), SERVED, None)
    assert good.passed
    flat = judge_editor(make_report(settings, "flat", psnr=29.1), None, EditorBounds(), SERVED, None)
    assert not flat.good_enough
    assert "bicubic 29.00 dB: gain +0.10 dB, must be at least +0.20" in flat.text
    uneven = judge_editor(make_report(settings, "uneven", categories=(33.0, 27.9)), None, EditorBounds(), SERVED, None)
    assert uneven.reasons == ["worst category B: gain -0.10 dB, must be at least +0.00"]


def test_a_figure_that_is_not_a_number_breaks_its_bound(settings):
    broken = make_report(settings, "nan", psnr=math.nan, categories=(math.nan, 40.0))
    assert len(judge_editor(broken, None, EditorBounds(), SERVED, None).reasons) == 2


def test_an_unmeasured_model_is_not_served(settings):
    verdict = judge_editor(make_report(settings, "good"), None, EditorBounds(), None, None)
    assert (verdict.good_enough, verdict.servable) == (True, False)


@pytest.mark.parametrize(("better_by", "passes"), [(0.1, True), (-0.1, False)])
def test_the_champion_is_beaten_photo_by_photo(settings, better_by, passes):
    champion = make_report(settings, "champion")
    challenger = make_report(settings, "challenger", psnr=30.0 + better_by)
    comparison = compare_editors(settings.home, challenger, champion)
    # The noise is the same in both: the paired difference is sure though each alone spreads by 1 dB.
    assert comparison.interval.low == pytest.approx(better_by, abs=1e-9)
    verdict = judge_editor(challenger, champion, EditorBounds(), SERVED, comparison)
    assert verdict.passed == passes
    assert "against champion 30.00 dB" in " ".join(verdict.held + verdict.reasons)


def test_no_category_may_lose_much_against_the_champion(settings):
    champion = make_report(settings, "champion", categories=(31.0, 29.0))
    challenger = make_report(settings, "challenger", psnr=31.0, categories=(33.5, 28.7))
    verdict = judge_editor(
        challenger, champion, EditorBounds(), SERVED, compare_editors(settings.home, challenger, champion)
    )
    assert verdict.reasons == ["category that loses most, B: -0.30 dB against the champion, must be at least -0.25"]


def test_versions_judged_on_other_images_are_not_compared(settings):
    champion = make_report(settings, "champion", reference="b" * 64)
    with pytest.raises(InputError, match="champion's reference_digest: got 'bbb"):
        compare_editors(settings.home, make_report(settings, "challenger"), champion)
