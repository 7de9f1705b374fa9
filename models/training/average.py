"""The moving average of a generator's weights, which is steadier than the weights and is what a training keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class MovingAverage:
    """Exponential average, with rate `decay`, of everything in a network's state dict (Yazıcı et al. 2019)."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network, self._decay = network, decay
        self.weights = copy_weights(network.state_dict())

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Move towards the network after update `step`; faster early on, to forget the start."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, value in self._network.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - decay)
            else:
                self.weights[name].copy_(value)

    @contextmanager
    def in_place(self) -> Iterator[nn.Module]:
        """The network in evaluation mode with the average as its weights; its own are restored at the end."""
        current = copy_weights(self._network.state_dict())
        self._network.load_state_dict(self.weights)
        self._network.eval()
        try:
            yield self._network
        finally:
            self._network.load_state_dict(current)
            self._network.train()


def copy_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """A copy that later updates do not change."""
    return {name: value.clone() for name, value in weights.items()}
