"""Style transfer by optimisation: an image is changed until its features match another's style (Gatys et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Adam

from models.losses.perceptual import Features
from models.losses.style import Losses, StyleLoss, roughness

ProgressCallback = Callable[[int, int], None]
"""Called with the steps done and the total."""

SIZES = ((4, 0.4), (2, 0.3), (1, 0.3))
"""What the size is divided by, coarse to fine, and the share of the steps that is done there."""
SMALLEST_SIDE = 64
"""No size whose shorter side is below this is begun with: too little of a style can be seen in it."""
MARGIN = 16
PHASES = ((0, 0), (9, 6), (6, 13), (15, 3), (2, 10), (13, 4), (8, 11), (3, 1))
"""Where the image lies in its margin, in turn: layers with a stride else leave a pattern of that stride."""
RATE = 0.03
LAST_RATE = 0.05
"""Adam's step in units of the pixel range, and the share of it that is left at the end of a size."""
EVEN = 0.5
"""In typical gradients: below this a pixel moves by its own gradient, and is not made to move as far as all others."""
TINY = 1e-20


class Weights(NamedTuple):
    """The weights of the other terms of the loss, relative to the style's; chosen by eye."""

    content: float = 1.0
    smooth: float = 60.0


WEIGHTS = Weights()


class Task(NamedTuple):
    """One size: the image to be painted (1, 3, H, W), what of it counts for the style (1, 1, H, W), and the loss."""

    content: Tensor
    share: Tensor | None
    loss: StyleLoss


def paint_towards(
    content: Tensor,
    style: Tensor,
    features: Features,
    steps: int,
    share: Tensor | None = None,
    weights: Weights = WEIGHTS,
    progress: ProgressCallback | None = None,
) -> Tensor:
    """`content` (1, 3, H, W) in [0, 1] in the style of `style` (1, 3, h, w), by about `steps` steps of Adam.

    It starts at a quarter of the size and ends at full size, the style shrunk alike: large shapes are not found
    in a large image. `share` (1, 1, H, W) is the part that is to have the style. Equal for equal arguments.
    """
    made, done, sizes = content, 0, choose_sizes(content)
    for divisor, part in sizes:
        small = shrink(content, divisor)
        marked = None if share is None else shrink(share, divisor)
        task = Task(small, marked, StyleLoss(features, shrink(style, divisor)))
        count = max(1, round(steps * part))
        made = descend(resize(made, small.shape), task, count, weights)
        done += count
        if progress is not None:
            progress(done, steps)
    return made


def choose_sizes(content: Tensor) -> list[tuple[int, float]]:
    """Divisors of the size, and the shares of the steps, which add to 1."""
    shorter = min(content.shape[2:])
    sizes = [size for size in SIZES if size[0] == 1 or shorter // size[0] >= SMALLEST_SIDE]
    return [(divisor, share / sum(share for _, share in sizes)) for divisor, share in sizes]


def descend(start: Tensor, task: Task, steps: int, weights: Weights) -> Tensor:
    """Gradient descent on the loss from `start`, at one size."""
    image = start.clone().requires_grad_()
    contents = [task.loss.content(place(task.content, phase)) for phase in PHASES]
    shares = [None if task.share is None else place(task.share, phase) for phase in PHASES]
    optimiser = Adam([image], RATE, eps=EVEN)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = RATE * (1 - (1 - LAST_RATE) * step / steps)
        phase = step % len(PHASES)
        found = task.loss(place(image, PHASES[phase]), contents[phase], shares[phase])
        total = found.style + weights.content * found.content + weights.smooth * roughness(image)
        (gradient,) = torch.autograd.grad(total.sum(), image)
        image.grad = gradient / (gradient.square().mean().sqrt() + TINY)
        optimiser.step()
        with torch.no_grad():
            image.clamp_(0, 1)
    return image.detach()


def measure_losses(made: Tensor, content: Tensor, style: Tensor, features: Features) -> Losses:
    """How far `made` (N, 3, H, W) is from the style and from the content, at its size."""
    with torch.no_grad():
        loss = StyleLoss(features, style)
        losses: Losses = loss(made, loss.content(content))
    return losses


def place(image: Tensor, phase: tuple[int, int]) -> Tensor:
    """The image in a margin, `MARGIN` pixels in all, which repeats its border."""
    left, top = phase
    return functional.pad(image, (left, MARGIN - left, top, MARGIN - top), mode="replicate")


def shrink(image: Tensor, divisor: int) -> Tensor:
    """The image at a part of its size."""
    return resize(image, [max(1, round(side / divisor)) for side in image.shape[2:]])


def resize(image: Tensor, shape: tuple[int, ...] | list[int]) -> Tensor:
    """The image (N, C, H, W) in [0, 1] at the height and width that `shape` ends in."""
    height, width = shape[-2:]
    if image.shape[2:] == (height, width):
        return image
    return functional.interpolate(image, (height, width), mode="bicubic", antialias=True).clamp(0, 1)
