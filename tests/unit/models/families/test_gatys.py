"""Style transfer by optimisation: painting comes nearer to a style and stays near the content."""

import pytest
import torch
from torch.nn import functional

from models.families import gatys
from models.families.gatys import choose_sizes, measure_losses, paint_towards
from models.losses.perceptual import load_features
from models.losses.style import roughness


@pytest.fixture(scope="module")
def features():
    return load_features("lite0")


def cells(side=64, size=8):
    """Squares of random colours (1, 3, side, side)."""
    colours = torch.rand(1, 3, side // size, side // size, generator=torch.Generator().manual_seed(0))
    return functional.interpolate(colours, scale_factor=size)


def disc(height=64, width=64):
    """A light disc on grey (1, 3, H, W)."""
    down, across = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    return (0.4 + 0.5 * ((down**2 + across**2) < 0.4))[None, None].expand(1, 3, -1, -1)


def test_a_picture_has_its_own_style_and_content_and_another_has_not(features):
    style, content = measure_losses(cells(), cells(), cells(), features)
    assert style.item() < 1e-6
    assert content.item() < 1e-6
    far = measure_losses(cells(), disc(), disc(), features)
    assert far.style.item() > 0.1
    assert far.content.item() > 0.1


def test_a_style_is_the_same_wherever_its_parts_lie(features):
    style = cells(256)
    moved = measure_losses(style.roll((128, 128), (2, 3)), style, style, features)
    assert moved.style.item() < 0.2 * moved.content.item()


def test_painting_comes_nearer_to_the_style_and_stays_near_the_content(features):
    before, style = disc(70, 93), cells()
    made = paint_towards(before, style, features, steps=40)
    assert made.shape == before.shape
    assert (made.min().item(), made.max().item()) >= (0, 0)
    assert made.max().item() <= 1
    reached, untouched, pasted = (
        measure_losses(one, before, style, features) for one in (made, before, functional.interpolate(style, (70, 93)))
    )
    assert reached.style.item() < 0.5 * untouched.style.item()
    assert reached.content.item() < 0.8 * pasted.content.item()


def test_the_same_picture_is_painted_alike(features):
    first, second = (paint_towards(disc(), cells(), features, steps=3) for _ in range(2))
    assert torch.equal(first, second)


def test_only_what_is_marked_is_pulled_to_the_style(features):
    share = torch.zeros(1, 1, 64, 64)
    share[..., 32:] = 1
    change = (paint_towards(disc(), cells(), features, steps=20, share=share) - disc()).abs().mean((0, 1, 2))
    assert change[44:].mean() > 1.5 * change[:20].mean()


def test_smoothness_counts(features):
    rough, smooth = (
        roughness(paint_towards(disc(), cells(), features, 40, weights=gatys.Weights(smooth=weight)))
        for weight in (0, 600)
    )
    assert smooth < 0.8 * rough


def test_a_style_without_any_pattern_can_be_painted(features):
    made = paint_towards(disc(), torch.full((1, 3, 40, 40), 0.7), features, steps=5)
    assert made.isfinite().all()


@pytest.mark.parametrize(("side", "divisors"), [(20, [1]), (128, [2, 1]), (256, [4, 2, 1])])
def test_large_pictures_are_begun_small(side, divisors):
    sizes = choose_sizes(torch.zeros(1, 3, side, 2 * side))
    assert [divisor for divisor, _ in sizes] == divisors
    assert sum(share for _, share in sizes) == pytest.approx(1)


def test_the_tiniest_picture_is_painted(features):
    made = paint_towards(torch.full((1, 3, 1, 1), 0.5), cells(), features, steps=2)
    assert made.shape == (1, 3, 1, 1)
    assert made.isfinite().all()
