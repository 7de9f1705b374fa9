"""What keeps a discriminator smooth: penalties on gradients, and bounds on weights and their spectral norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


def square_slopes(logits: Tensor, images: Tensor) -> Tensor:
    """||dD/dx||^2 of each image, shape (N,), itself differentiable.

    `images` (N, C, H, W) require gradients and led to `logits` (N,), each of its own image alone: no batch norm.
    """
    (gradients,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradients.square().sum((1, 2, 3))


def penalise_real_slopes(squares: Tensor) -> Tensor:
    """R1 without its weight: half the mean of ||dD/dx||^2 (N,) at real images (Mescheder et al. 2018, eq. 9)."""
    return squares.mean() / 2


def penalise_slopes(squares: Tensor) -> Tensor:
    """Mean of (||dD/dx|| - 1)^2, from ||dD/dx||^2 (N,) between real and fake (Gulrajani et al. 2017, eq. 3)."""
    # The root has no slope at 0, where a discriminator that ignores its input would be.
    return ((squares + 1e-12).sqrt() - 1).square().mean()


def mix(real: Tensor, fake: Tensor) -> Tensor:
    """e real + (1 - e) fake, images (N, C, H, W), each with its e from [0, 1) (Gulrajani et al. 2017, algorithm 1)."""
    # Drawn on the CPU, whose generator's state is in the checkpoint, on every device.
    return torch.lerp(fake, real, torch.rand(len(real), 1, 1, 1).to(real.device))


@torch.no_grad()
def clip_weights(network: nn.Module, bound: float) -> None:
    """Move every weight that learns into [-bound, bound] (Arjovsky et al. 2017, algorithm 1)."""
    for weight in network.parameters():
        if weight.requires_grad:
            weight.clamp_(-bound, bound)


def normalise_spectrum(network: nn.Module) -> None:
    """Divide every kernel by its largest singular value, one power iteration a pass (Miyato et al. 2018, eq. 8)."""
    for layer in list(network.modules()):
        if isinstance(layer, (nn.Conv2d, nn.Linear, nn.Embedding)):
            spectral_norm(layer)
