"""The discretised logistic over the 256 levels of a pixel, alone and in mixtures: log-probabilities and draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

HALF_LEVEL = 1 / 255
"""Half the distance between two levels in units of [-1, 1]."""
EDGE = 1 - HALF_LEVEL
"""Beyond it lies only the outermost level, which takes the whole tail of the logistic."""
SMALLEST_LOG_SCALE = -7.0
"""At this scale one level in the middle holds 97 % of the probability."""
CERTAIN = 1e-6
"""Uniform numbers are kept this far from 0 and 1, where float32 would make infinite draws."""


def log_probability(images: Tensor, means: Tensor, log_scales: Tensor) -> Tensor:
    """ln P of each value of `images` (levels in [-1, 1]), by broadcasting (Salimans et al. 2017, eq. 2).

    With a = (x + 1/255 - mean) / s and b = (x - 1/255 - mean) / s, P = sigmoid(a) - sigmoid(b), computed as the sum of
    ln sigmoid(a), ln sigmoid(-b) and ln(1 - exp(b - a)), which loses nothing where both sigmoids are near 0 or 1.
    """
    log_scales = log_scales.clamp(min=SMALLEST_LOG_SCALE)
    rate = torch.exp(-log_scales)
    above = functional.logsigmoid((images + HALF_LEVEL - means) * rate)
    below = functional.logsigmoid((means - images + HALF_LEVEL) * rate)
    between = above + below + torch.log(-torch.expm1(-2 * HALF_LEVEL * rate))
    return torch.where(images < -EDGE, above, torch.where(images > EDGE, below, between))


def bits_per_dimension(log_probabilities: Tensor, dimensions: int) -> Tensor:
    """-log2 P / dimensions of each image, shape (N,), from the ln P (N, ...) of its parts."""
    return -log_probabilities.flatten(1).sum(1) / (dimensions * math.log(2))


class Mixture(NamedTuple):
    """K logistics for a pixel's C channels; `...` are further axes, such as rows and columns, or none.

    One component is drawn for the whole pixel; the means of later channels follow the earlier ones (Salimans et al.
    2017, eq. 3).
    """

    logits: Tensor
    """(N, K, ...)"""
    means: Tensor
    """(N, C, K, ...), before the earlier channels move them"""
    log_scales: Tensor
    """(N, C, K, ...)"""
    couplings: Tensor
    """(N, C (C - 1) / 2, K, ...) in [-1, 1]: how much each earlier channel moves the mean"""

    @classmethod
    def numbers(cls, channels: int, components: int) -> int:
        """Numbers per pixel that describe a mixture."""
        return components * (1 + 2 * channels + channels * (channels - 1) // 2)

    @classmethod
    def read(cls, numbers: Tensor, channels: int) -> Mixture:
        """The mixture that a network's output (N, numbers, ...) describes."""
        couplings = channels * (channels - 1) // 2
        components = numbers.shape[1] // cls.numbers(channels, 1)
        sizes = [components * count for count in (1, channels, channels, couplings)]
        logits, means, log_scales, coupled = torch.split(numbers.float(), sizes, 1)
        shape = (-1, components, *numbers.shape[2:])
        rows = len(numbers)
        return cls(logits, *(part.reshape(rows, *shape) for part in (means, log_scales, torch.tanh(coupled))))

    def log_probability(self, images: Tensor) -> Tensor:
        """ln P of the pixels of `images` (N, C, ...), all channels together, shape (N, ...)."""
        levels = images.unbind(1)
        total = functional.log_softmax(self.logits, 1)
        for channel, level in enumerate(levels):
            means = self._means_after(levels[:channel])
            total = total + log_probability(level[:, None], means, self.log_scales[:, channel])
        return torch.logsumexp(total, 1)

    def draw(self, latent: Tensor) -> Tensor:
        """Levels in [-1, 1] (N, C) from N(0, 1) numbers (N, 1 + C), for mixtures without further axes.

        The first number chooses the component and the others the levels, each by an inverse distribution function.
        """
        uniform = torch.special.ndtr(latent).clamp(CERTAIN, 1 - CERTAIN)
        one = self._component(uniform[:, :1])
        logistic = torch.log(uniform) - torch.log1p(-uniform)
        drawn: list[Tensor] = []
        for channel in range(self.means.shape[1]):
            scale = torch.exp(one.log_scales[:, channel].clamp(min=SMALLEST_LOG_SCALE))
            value = one._means_after(drawn) + scale * logistic[:, channel + 1, None]
            drawn.append(nearest_level(value)[:, 0])
        return torch.stack(drawn, 1)

    def _means_after(self, earlier: Sequence[Tensor]) -> Tensor:
        """The means (N, K, ...) of the channel that follows the levels of the `earlier` channels, each (N, ...)."""
        channel = len(earlier)
        means = self.means[:, channel]
        for coupling, level in enumerate(earlier, channel * (channel - 1) // 2):
            means = means + self.couplings[:, coupling] * level[:, None]
        return means

    def _component(self, uniform: Tensor) -> Mixture:
        """The component (K = 1) of each image at which the summed weights reach `uniform` (N, 1)."""
        reached = torch.softmax(self.logits, 1).cumsum(1)[:, :-1]
        chosen = (reached < uniform).sum(1, keepdim=True)[:, None]
        parts = (self.logits[:, None], self.means, self.log_scales, self.couplings)
        logits, means, log_scales, couplings = (part.gather(2, chosen.expand(-1, part.shape[1], -1)) for part in parts)
        return Mixture(logits[:, 0], means, log_scales, couplings)


def nearest_level(values: Tensor) -> Tensor:
    """The level in [-1, 1] nearest to each value."""
    return (torch.floor((values + 1) * 127.5 + 0.5) / 127.5 - 1).clamp(-1, 1)
