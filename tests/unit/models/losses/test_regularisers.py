import pytest
import torch
from torch import nn

from models.losses.regularisers import (
    clip_weights,
    mix,
    normalise_spectrum,
    penalise_real_slopes,
    penalise_slopes,
    square_slopes,
)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0))


def test_slopes_are_each_images_own():
    judge, images = network(), torch.randn(3, 1, 4, 4, requires_grad=True)
    squares = square_slopes(judge(images), images)
    for row in range(3):
        alone = images[row : row + 1].detach().requires_grad_()
        (gradient,) = torch.autograd.grad(judge(alone).sum(), alone)
        torch.testing.assert_close(squares[row], gradient.square().sum())


def test_slopes_agree_with_finite_differences():
    judge = network().double()
    images = torch.randn(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    squares, step = square_slopes(judge(images), images), 1e-6
    rises = []
    with torch.no_grad():
        for pixel in torch.eye(16, dtype=torch.float64).view(16, 1, 1, 4, 4):
            rises.append((judge(images + step * pixel) - judge(images - step * pixel)).item() / (2 * step))
    assert squares.item() == pytest.approx(sum(rise**2 for rise in rises), rel=1e-6)


def test_slopes_can_be_learned_from():
    judge, images = network(), torch.randn(8, 1, 4, 4, requires_grad=True)
    optimiser, seen = torch.optim.Adam(judge.parameters(), 0.02), []
    for _ in range(60):
        penalty = penalise_slopes(square_slopes(judge(images), images))
        optimiser.zero_grad()
        penalty.backward()
        optimiser.step()
        seen.append(penalty.item())
    assert seen[-1] < 0.05 * seen[0]


def test_the_penalties_are_the_papers():
    squares = torch.tensor([4.0, 0.0])  # slopes 2 and 0
    torch.testing.assert_close(penalise_real_slopes(squares), torch.tensor(1.0))
    torch.testing.assert_close(penalise_slopes(squares), torch.tensor(1.0))
    torch.testing.assert_close(penalise_slopes(torch.ones(3)), torch.tensor(0.0), atol=1e-6, rtol=0)


def test_a_flat_discriminator_can_be_penalised():
    squares = torch.zeros(2, requires_grad=True)
    penalise_slopes(squares).backward()
    assert bool(torch.isfinite(squares.grad).all())


def test_mixed_images_lie_between_each_at_a_place_of_its_own():
    torch.manual_seed(0)
    mixed = mix(torch.ones(100, 1, 2, 2), torch.zeros(100, 1, 2, 2))
    shares = mixed.flatten(1)
    assert bool((shares == shares[:, :1]).all())
    assert 0 <= shares.min() < 0.05
    assert 0.95 < shares.max() < 1
    assert abs(shares.mean() - 0.5) < 0.12


def test_clipping_moves_only_weights_out_of_bounds():
    judge = network()
    judge[0].weight.requires_grad_(False)  # frozen
    before = [weight.detach().clone() for weight in judge.parameters()]
    assert all(bool((old.abs() > 0.1).any()) for old in before[:3])
    clip_weights(judge, 0.1)
    for weight, old in zip(judge.parameters(), before, strict=True):
        assert torch.equal(weight, old.clamp(-0.1, 0.1) if weight.requires_grad else old)


def test_kernels_are_divided_by_their_largest_singular_value():
    layers = nn.ModuleList([nn.Conv2d(3, 5, 3), nn.Linear(6, 4), nn.Embedding(7, 3)])
    originals = [layer.weight.detach().clone() for layer in layers]
    normalise_spectrum(layers)
    for layer, original in zip(layers, originals, strict=True):
        for _ in range(200):  # one power iteration each
            weight = layer.weight
        largest = torch.linalg.matrix_norm(original.flatten(1), 2)
        torch.testing.assert_close(weight.detach(), original / largest, rtol=1e-4, atol=1e-6)


def test_a_normalised_network_keeps_distances():
    judge = network()
    with torch.no_grad():
        judge[0].weight.mul_(100)
    normalise_spectrum(judge)
    for _ in range(200):
        judge(torch.zeros(1, 1, 4, 4))
    judge.eval()
    first, second = torch.randn(2, 50, 1, 4, 4)
    moved = (judge(first) - judge(second)).abs()
    # A 3x3 kernel's norm as a convolution is at most 3 times that of its matrix.
    assert bool((moved <= 3 * (first - second).flatten(1).norm(dim=1)).all())
