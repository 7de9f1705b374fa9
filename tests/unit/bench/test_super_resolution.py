import numpy as np
import pytest

from bench.super_resolution import BICUBIC, Pair, compare, measure, prove, read_pairs, score


def test_a_border_of_the_scale_does_not_count_and_levels_are_those_of_files():
    wanted = np.full((20, 20), 0.5, np.float32)
    made = wanted + np.float32(10 / 219)
    made[:3] = 0
    assert compare(wanted, made, 3)["psnr"] == pytest.approx(20 * np.log10(255 / 10))
    assert compare(wanted, wanted + np.float32(0.4 / 219), 3)["psnr"] == np.inf


def test_figures_are_means_over_the_pictures():
    small, large = np.zeros((8, 8), np.float32), np.zeros((16, 16), np.float32)
    pairs = [Pair(large + np.float32(step / 219), small) for step in (1, 10)]
    found = score(pairs, 2, lambda plane: np.zeros((16, 16), np.float32))
    assert found["psnr"] == pytest.approx(np.mean([20 * np.log10(255), 20 * np.log10(25.5)]))


def test_a_harness_that_does_not_reproduce_bicubic_stops():
    pairs = [Pair(np.random.default_rng(0).random((32, 32), np.float32), np.zeros((16, 16), np.float32))]
    with pytest.raises(SystemExit, match=r"error: bicubic x2: got .* dB, allowed: 33.66 within 0.04"):
        prove(pairs, 2)


def test_absent_pictures_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PACKSHOT_PHOTOS", str(tmp_path))
    with pytest.raises(SystemExit, match="got 0 pictures of scale 2, allowed: Set5's 5"):
        measure()


@pytest.mark.photos
@pytest.mark.parametrize("scale", list(BICUBIC))
def test_bicubic_on_set5_is_what_papers_report(photographs, scale):
    pairs = read_pairs(photographs / "set5", scale)
    assert prove(pairs, scale)["psnr"] == pytest.approx(BICUBIC[scale], abs=0.04)
    opencv = score(pairs, scale, lambda plane: sharper(plane, scale))
    assert abs(opencv["psnr"] - BICUBIC[scale]) > 0.04  # another kernel is another baseline


def sharper(plane, scale):
    """Bicubic by OpenCV, whose kernel has a = -0.75."""
    import cv2

    return cv2.resize(plane, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
