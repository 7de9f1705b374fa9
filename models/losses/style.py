"""A picture's style in the features of a network, and the distance of other pictures from it and from their content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.losses.perceptual import Features

PIXELS = "pixels"
"""The colours themselves, as the first of the maps."""
LEAST = 0.3
"""Of the deviations of a map's channels, as a share of their mean: a channel that hardly varies is not blown up."""
FLAT = 1e-3
"""What is added for maps that do not vary at all."""
FAINT = 1e-6


class Maps(NamedTuple):
    """Which maps of a network make the style, with their weights, and which one makes the content."""

    style: Mapping[str, float]
    content: str


MAPS = {
    "efficientnet-lite0": Maps({PIXELS: 1, "block0": 1, "block2": 1, "block4": 1, "block10": 0.5}, "block4"),
    "vgg19": Maps({PIXELS: 1, "relu1_1": 1, "relu2_1": 1, "relu3_1": 1, "relu4_1": 1}, "layer22"),  # relu4_2
}
"""For VGG19 as Gatys et al. 2016, section 3, but for the coarsest map; for EfficientNet-Lite0 chosen by eye."""


class Losses(NamedTuple):
    """Distances of a batch of images from the style and from their contents, each (N,)."""

    style: Tensor
    content: Tensor


class StyleLoss(nn.Module):
    """Distances of images (N, 3, H, W) in [0, 1] from the style of one picture and from the contents of others.

    A style is the Gram matrix of each map (Gatys et al. 2016, eq. 3) after its channels were scaled to a mean of 0 and
    a deviation of 1 in the style picture: in any network but VGG a few strong channels would else hide all others. A
    constant channel is added, whose products with the others are their means.
    """

    def __init__(self, features: Features, style: Tensor) -> None:
        super().__init__()
        self.features, self.maps = features, MAPS[features.name]
        with torch.no_grad():
            for name, values in self.see(style).items():
                deviation, mean = torch.std_mean(values, (0, 2, 3), correction=0)
                self.register_buffer(f"mean_{name}", mean[:, None, None])
                least = LEAST * deviation.mean() + FLAT
                self.register_buffer(f"deviation_{name}", deviation.clamp(min=least)[:, None, None])
                self.register_buffer(f"gram_{name}", gram(self.scale(name, values))[0])

    def see(self, images: Tensor) -> dict[str, Tensor]:
        """The maps that make style and content, by name."""
        taps = [name for name in {**self.maps.style, self.maps.content: 0} if name != PIXELS]
        return {PIXELS: images, **self.features(images, taps)}

    def scale(self, name: str, values: Tensor) -> Tensor:
        """A map with its channels as far and as wide as in the style picture."""
        scaled: Tensor = (values - self.get_buffer(f"mean_{name}")) / self.get_buffer(f"deviation_{name}")
        return scaled

    def content(self, images: Tensor) -> Tensor:
        """The map that images are held against whose contents these are."""
        name = self.maps.content
        with torch.no_grad():
            return self.scale(name, self.see(images)[name])

    def forward(self, made: Tensor, content: Tensor, share: Tensor | None = None) -> Losses:
        """The distances of images made of those whose `content` this is.

        `share` (N, 1, H, W) says how much each pixel counts for the style, None that all count alike (Gatys et al.
        2017, eq. 3).
        """
        seen = {name: self.scale(name, values) for name, values in self.see(made).items()}
        style = made.new_zeros(len(made))
        for name, weight in self.maps.style.items():
            target = self.get_buffer(f"gram_{name}")
            style = style + weight * (gram(seen[name], share) - target).square().sum((1, 2)) / len(target)
        differences = (seen[self.maps.content] - content).square().mean((1, 2, 3)) / 2
        return Losses(style / sum(self.maps.style.values()), differences)


def gram(values: Tensor, share: Tensor | None = None) -> Tensor:
    """Means over all places of the products of channels, a constant one with them: (N, C, H, W) to (N, C+1, C+1).

    Places count by their `share` (N, 1, h, w), of any size, where it is given.
    """
    flat = torch.cat((values, torch.ones_like(values[:, :1])), 1).flatten(2)
    if share is None:
        return flat @ flat.transpose(1, 2) / flat.shape[2]
    weights = functional.interpolate(share, values.shape[2:], mode="area").flatten(2)
    return (flat * weights) @ flat.transpose(1, 2) / (weights.sum(2, keepdim=True) + FAINT)


def roughness(images: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels of images (N, C, H, W), shape (N,)."""
    down, across = images.diff(dim=2).square(), images.diff(dim=3).square()
    return down.mean((1, 2, 3)) + across.mean((1, 2, 3))
