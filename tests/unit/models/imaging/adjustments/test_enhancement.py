"""Each improvement does its own, nothing at strength 0, and clips no light."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.imaging.adjustments.degradation import add_noise, compress_jpeg
from models.imaging.adjustments.enhancement import (
    balance_white,
    denoise,
    expose,
    find_illuminant,
    measure,
    measure_noise,
    measure_sharpness,
    raise_contrast,
    sharpen,
)
from models.imaging.colour import rgb_to_lab

NEUTRAL = (1.0, 1.0, 1.0)


def shapes(side=160):
    """Soft slopes and hard edges in colours of the middle."""
    rows, columns = np.mgrid[:side, :side].astype(np.float32) / side
    picture = np.stack([80 + 80 * rows, 90 + 60 * columns, 150 - 50 * rows], axis=-1)
    picture[side // 4 : side // 2, side // 4 : side // 2] = (190, 60, 50)
    picture[side // 2 :, : side // 3] *= 0.5
    return picture.astype(np.uint8)


def psnr(first, second):
    return 10 * np.log10(255**2 / np.mean((first.astype(float) - second) ** 2))


@pytest.mark.parametrize("sigma", [5, 10, 20])
def test_noise_is_measured_and_taken_away(sigma):
    clean = shapes()
    noisy = add_noise(clean, sigma, np.random.default_rng(0))
    assert measure_noise(noisy) == pytest.approx(sigma, rel=0.25)
    assert psnr(clean, denoise(noisy, 1.0)) > psnr(clean, noisy) + 3
    assert psnr(clean, denoise(noisy, 0.5)) > psnr(clean, noisy) + 0.5


def test_a_noiseless_picture_is_not_smoothed():
    assert measure_noise(shapes()) < 0.5
    assert measure_noise(np.full((64, 64, 3), 255, np.uint8)) == 0
    assert measure_noise(np.zeros((3, 3, 3), np.uint8)) == 0


def test_a_light_even_border_is_the_reference_for_white():
    picture = np.full((100, 100, 3), (240, 225, 205), np.uint8)
    picture[30:70, 30:70] = (200, 30, 30)
    illuminant, level, backdrop = find_illuminant(picture, picture.reshape(-1, 3))
    assert backdrop
    balanced = balance_white(picture, 1.0, illuminant, level)
    assert np.hypot(*rgb_to_lab(balanced)[0, 0, 1:]) < 0.5 * np.hypot(*rgb_to_lab(picture)[0, 0, 1:])
    assert np.array_equal(balance_white(picture, 1.0, NEUTRAL), picture)


def test_a_cast_over_a_whole_picture_is_lessened():
    generator = np.random.default_rng(0)
    grey = cv2.resize(generator.integers(20, 220, (8, 8, 1), np.uint8).repeat(3, 2), (128, 128))
    cast = np.clip(grey * np.array([1.1, 1.0, 0.7]), 0, 255).astype(np.uint8)
    illuminant, _, backdrop = find_illuminant(cast, cast.reshape(-1, 3))
    assert not backdrop
    chroma = [
        np.hypot(*rgb_to_lab(picture)[..., 1:].mean((0, 1))) for picture in (cast, balance_white(cast, 1, illuminant))
    ]
    assert chroma[1] < 0.4 * chroma[0]


def test_a_dark_picture_gets_lighter_by_a_stop_at_most_and_clips_nothing():
    dark = (shapes() * 0.3).astype(np.uint8)
    dark[0, 0], dark[0, 1] = 255, 254
    light = expose(dark, 1.0, measure(dark).middle, 60)
    assert light[20:].mean() > 1.2 * dark[20:].mean()
    assert (light == 255).sum() == 3
    assert expose(shapes(), 1.0, 80, 95).mean() < shapes().mean()
    assert np.array_equal(expose(dark, 1.0, 20, 100), dark)


def test_contrast_spreads_the_lightness_and_keeps_the_colour():
    flat = (110 + (shapes().astype(float) - 110) * 0.2).astype(np.uint8)
    raised = raise_contrast(flat, 1.0)
    before, after = rgb_to_lab(flat), rgb_to_lab(raised)
    assert after[..., 0].std() > 1.5 * before[..., 0].std()
    assert np.abs(after[..., 1:] - before[..., 1:]).mean() < 2


def test_sharpening_raises_a_soft_edge_and_not_noise_or_jpeg_blocks():
    step = np.full((64, 64, 3), 60, np.uint8)
    step[:, 32:] = 190
    soft = cv2.GaussianBlur(step, (0, 0), 1.2)
    steepest = [np.abs(np.diff(picture.astype(int), axis=1)).max() for picture in (soft, sharpen(soft, 1.0))]
    assert steepest[1] > 1.15 * steepest[0]
    assert measure_sharpness(sharpen(soft, 1.0)) > measure_sharpness(soft)
    noise = add_noise(np.full((64, 64, 3), 128, np.uint8), 4, np.random.default_rng(0))
    assert sharpen(noise, 1.0).std() < 1.1 * noise.std()
    slope = np.repeat(np.linspace(100, 140, 128)[None, :, None], 128, 0).repeat(3, 2).astype(np.uint8)
    blocks = compress_jpeg(slope, 30)
    assert np.abs(sharpen(blocks, 1.0).astype(int) - blocks).max() <= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**31), st.sampled_from([0.0, 0.3, 1.0]))
def test_any_size_keeps_its_shape_and_strength_0_its_bytes(height, width, seed, strength):
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    found = measure(picture)
    for changed in (
        denoise(picture, strength),
        balance_white(picture, strength, found.illuminant, found.level),
        expose(picture, strength, found.middle, found.lightest),
        raise_contrast(picture, strength),
        sharpen(picture, strength),
    ):
        assert (changed.shape, changed.dtype) == (picture.shape, np.uint8)
        assert strength or np.array_equal(changed, picture)
