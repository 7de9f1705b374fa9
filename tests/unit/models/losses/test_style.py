"""What a style is: products of features, wherever they lie."""

import torch
from torchvision.models import vgg19

from models.losses import perceptual
from models.losses.style import MAPS, StyleLoss, gram


def test_a_gram_matrix_counts_places_by_their_share():
    torch.manual_seed(0)
    values = torch.randn(2, 3, 8, 6)
    torch.testing.assert_close(gram(values, torch.ones(2, 1, 16, 12)), gram(values), rtol=1e-4, atol=1e-4)
    half = torch.zeros(2, 1, 8, 6)
    half[..., :3] = 1
    torch.testing.assert_close(gram(values, half), gram(values[..., :3]), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(gram(values)[:, 3, :3], values.mean((2, 3)))  # the constant channel's products


def test_the_maps_of_vgg19_are_there_under_their_names(monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr("torchvision.models.vgg19", lambda **_: vgg19(weights=None, init_weights=False))
    loss = StyleLoss(perceptual.load_vgg19(), torch.rand(1, 3, 48, 80))
    seen = loss.see(torch.rand(1, 3, 64, 64))
    assert set(seen) == {*MAPS["vgg19"].style, MAPS["vgg19"].content}
    assert seen["layer22"].shape == (1, 512, 8, 8)  # relu4_2, after three halvings
    assert seen["layer22"].min() == 0
