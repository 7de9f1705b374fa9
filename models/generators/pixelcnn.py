"""PixelCNN: the gated autoregressive network of van den Oord et al. (2016), one pixel at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan
from torch.nn import functional

from models.distributions.likelihoods import Mixture, bits_per_dimension
from models.families.family import FamilyConfig, GradientConfig, GradientFamily, ImageShape, Parts
from models.pixels import to_signed

REACH = 3
"""Rows above and columns to either side that the first layer sees: a kernel of 7x7, as in the paper."""

States = tuple[Tensor, ...]
Step = Callable[[States, States], tuple[States, Tensor]]


class PixelCNNConfig(GradientConfig):
    """PixelCNN's parameters; each pixel is a mixture of discretised logistics (Salimans et al. 2017)."""

    family: Literal["pixelcnn"] = "pixelcnn"
    width: int = Field(default=32, ge=4, le=512, description="channels of both stacks")
    layers: int = Field(default=5, ge=1, le=40, description="gated layers after the first")
    components: int = Field(default=8, ge=1, le=50, description="logistics in a pixel's mixture")
    conditional: bool = Field(default=False, description="ask for a category when generating")


def gate(features: Tensor) -> Tensor:
    """tanh(a) * sigmoid(b) of the two halves (eq. 2 of the paper)."""
    signal, opening = features.chunk(2, 1)
    return torch.tanh(signal) * torch.sigmoid(opening)


class GatedLayer(nn.Module):
    """Figure 2 of the paper: a vertical stack that sees all rows above, a horizontal one that sees the row's left.

    The masks are kernels without the hidden half. The first layer moved what the vertical stack sees down by one row,
    and what the horizontal one sees to the right by one column; so the kernels here may end at the pixel itself.
    """

    def __init__(self, width: int, categories: int) -> None:
        super().__init__()
        self.vertical = nn.Conv2d(width, 2 * width, (2, 3))
        self.link = nn.Conv2d(2 * width, 2 * width, 1)
        self.horizontal = nn.Conv2d(width, 2 * width, (1, 2), bias=False)
        self.out = nn.Conv2d(width, width, 1)
        self.category = nn.Linear(categories, 4 * width, bias=False) if categories else None

    def above(self, rows: Tensor, category: Tensor | None) -> tuple[Tensor, Tensor]:
        """From rows (N, width, 1 + H, W), one more than come out: the vertical output and the link, (N, ., H, W)."""
        seen = self.vertical(functional.pad(rows, (1, 1)))
        if self.category is None or category is None:
            return gate(seen), self.link(seen)
        down, right = self.category(category)[:, :, None, None].chunk(2, 1)
        return gate(seen + down), self.link(seen) + right

    def left(self, features: Tensor, link: Tensor) -> Tensor:
        """The horizontal output (N, width, H, W) for all columns, with the residual of the paper."""
        out: Tensor = self.out(gate(self.horizontal(functional.pad(features, (1, 0))) + link))
        return features + out

    def left_of_one(self, previous: Tensor, features: Tensor, link: Tensor) -> Tensor:
        """The same for one column: `previous` and `features` (N, width), the link (N, 2 width)."""
        both = torch.stack((previous, features), 2).flatten(1)
        opened = gate(functional.linear(both, self.horizontal.weight.flatten(1)) + link)
        return features + functional.linear(opened, self.out.weight.flatten(1), self.out.bias)


class PixelCNN(nn.Module):
    """Both stacks, from images to the mixture of each pixel; as a function, the sampler."""

    def __init__(self, config: PixelCNNConfig, shape: ImageShape) -> None:
        super().__init__()
        self.shape, width = shape, config.width
        self.categories = shape.categories if config.conditional else 0
        self.first_above = nn.Conv2d(shape.channels, width, (REACH, 2 * REACH + 1))
        self.first_left = nn.Conv2d(shape.channels, width, (1, REACH))
        self.place = nn.Parameter(0.01 * torch.randn(width, shape.size, shape.size))
        self.layers = nn.ModuleList(GatedLayer(width, self.categories) for _ in range(config.layers))
        self.hidden = nn.Conv2d(width, 2 * width, 1)
        self.mixture = nn.Conv2d(2 * width, Mixture.numbers(shape.channels, config.components), 1)

    def log_probability(self, images: Tensor, category: Tensor) -> Tensor:
        """ln P of each pixel (N, H, W) of images (N, C, H, W) in [-1, 1], all at once."""
        return Mixture.read(self.describe(images, category), self.shape.channels).log_probability(images)

    def describe(self, images: Tensor, category: Tensor) -> Tensor:
        """The numbers of each pixel's mixture (N, numbers, H, W), given the pixels before it."""
        known = self._one_hot(category)
        above = self.first_above(functional.pad(images, (REACH, REACH, REACH, -1))) + self.place
        left = self.first_left(functional.pad(images, (REACH, -1)))
        for layer in self._layers:
            above, link = layer.above(functional.pad(above, (0, 0, 1, 0)), known)
            left = layer.left(left, link)
        numbers: Tensor = self.mixture(functional.relu(self.hidden(functional.relu(left))))
        return numbers

    def forward(self, latent: Tensor, category: Tensor) -> Tensor:
        """Draw images (N, C, H, W): the vertical stack once a row, the horizontal one once a pixel, nothing twice.

        `latent` has 1 + C numbers for each pixel, row by row (see `Mixture.draw`).
        """
        channels, size, _ = self.shape
        noise = latent.view(-1, size, size, 1 + channels).permute(1, 2, 0, 3)  # rows, columns, N, 1 + C
        known = self._one_hot(category)
        width, depth, count = self.place.shape[0], len(self.layers), latent.shape[0]
        left_edge = latent.new_zeros(count, channels, REACH), latent.new_zeros(count, depth, width)

        def draw_row(states: States, row: States) -> tuple[States, Tensor]:
            pixels, features = states  # the last rows of the image and the row before in every layer
            noise, place = row
            above = self.first_above(functional.pad(pixels, (REACH, REACH))) + place[:, None]
            seen, links = [], []
            for index, layer in enumerate(self._layers):
                seen.append(above)
                above, link = layer.above(torch.cat((features[:, index], above), 2), known)
                links.append(link[:, :, 0])
            by_column = torch.stack(links, 1).permute(3, 0, 1, 2)  # columns, N, layers, 2 width
            drawn = repeat(self._draw_pixel, left_edge, (noise, by_column)).permute(1, 2, 0)[:, :, None]
            return (torch.cat((pixels[:, :, 1:], drawn), 2), torch.stack(seen, 1)), drawn

        top = latent.new_zeros(count, channels, REACH, size), latent.new_zeros(count, depth, width, 1, size)
        rows = repeat(draw_row, top, (noise, self.place.transpose(0, 1)))
        return rows[:, :, :, 0].permute(1, 2, 0, 3)

    def _draw_pixel(self, states: States, column: States) -> tuple[States, Tensor]:
        """The pixel (N, C) of the next column."""
        pixels, features = states  # the last columns of the image and the column before in every layer
        noise, links = column
        left = functional.linear(pixels.flatten(1), self.first_left.weight.flatten(1), self.first_left.bias)
        seen = []
        for index, layer in enumerate(self._layers):
            seen.append(left)
            left = layer.left_of_one(features[:, index], left, links[:, index])
        hidden = functional.relu(as_linear(self.hidden, functional.relu(left)))
        drawn = Mixture.read(as_linear(self.mixture, hidden), self.shape.channels).draw(noise)
        return (torch.cat((pixels[:, :, 1:], drawn[:, :, None]), 2), torch.stack(seen, 1)), drawn

    @property
    def _layers(self) -> list[GatedLayer]:
        return [cast(GatedLayer, layer) for layer in self.layers]

    def _one_hot(self, category: Tensor) -> Tensor | None:
        return functional.one_hot(category, self.categories).float() if self.categories else None


def as_linear(layer: nn.Module, features: Tensor) -> Tensor:
    """What a convolution with a kernel of 1x1 makes of features (N, width) of one pixel."""
    convolution = cast(nn.Conv2d, layer)
    return functional.linear(features, convolution.weight.flatten(1), convolution.bias)


def repeat(step: Step, start: States, over: States) -> Tensor:
    """Call `states, output = step(states, item)` for the items along the first axis of `over`; the outputs, stacked.

    On export it becomes an ONNX Scan, so that the loops over rows and columns are part of the file.
    """
    if torch.compiler.is_exporting():
        outputs: Tensor = scan(step, start, over)[1]
        return outputs
    states, made = start, []
    for item in zip(*over, strict=True):
        states, output = step(states, item)
        made.append(output)
    return torch.stack(made)


class PixelCNNFamily(GradientFamily):
    """The network above, trained on its exact likelihood."""

    Config: ClassVar[type[FamilyConfig]] = PixelCNNConfig
    title: ClassVar[str] = "Gated PixelCNN (van den Oord et al. 2016)"
    paper: ClassVar[str] = (
        "van den Oord et al.: Conditional Image Generation with PixelCNN Decoders. NeurIPS 2016, "
        "arXiv:1606.05328; Salimans et al.: PixelCNN++. ICLR 2017, arXiv:1701.05517"
    )
    likelihood: ClassVar[str | None] = "exact, mixture of discretised logistics"
    discrete: ClassVar[bool] = True
    tiny: ClassVar[Mapping[str, object]] = {"width": 24}  # narrower ones hardly learn in forty updates
    forward_methods: ClassVar[tuple[str, ...]] = ("log_probability",)

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        super().__init__(config, shape)
        self._config = cast(PixelCNNConfig, config)
        self._network = PixelCNN(self._config, shape)
        self._dimensions = shape.channels * shape.size**2

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self._network}

    @property
    def latent(self) -> int:
        return self.shape.size**2 * (1 + self.shape.channels)

    @property
    def conditional(self) -> bool:
        return self._config.conditional

    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        network = cast(PixelCNN, parts.networks["generator"])
        loss = bits_per_dimension(network.log_probability(images, labels), self._dimensions).mean()
        parts.update("generator", loss)
        return {"loss_generator": loss.detach()}

    def bits_per_dimension(self, images: Tensor, labels: Tensor) -> Tensor:
        """-log2 p(image | label) / (C H W) of uint8 images (N, C, H, W), shape (N,): the exact likelihood."""
        return bits_per_dimension(self._network.log_probability(to_signed(images), labels), self._dimensions)
