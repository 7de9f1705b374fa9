"""Markov random field over grey levels: learned by pseudo-likelihood, sampled by checkerboard Gibbs sweeps."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.arrays import Images, Labels
from models.errors import TrainingError
from models.families.family import FamilyConfig, FittedFamily, ImageShape, ProgressCallback
from models.pixels import to_planes

BINS = 8192
"""Steps of the table that turns N(0, 1) into a uniform number."""
REACH = 4.0
THUMBNAIL = 8
ROUNDS = 20
MEMBERS = 50
"""Images that a style must be learned from."""


class MRFConfig(FamilyConfig):
    """The Markov random field's parameters; a category is always asked for."""

    family: Literal["mrf"] = "mrf"
    levels: int = Field(default=8, ge=2, le=16, description="grey levels that a pixel can take")
    styles: int = Field(default=16, ge=1, le=256, description="unary potentials per category, one drawn per image")
    sweeps: int = Field(default=5, ge=1, le=50, description="Gibbs sweeps that make an image")
    iterations: int = Field(default=400, ge=1, le=100_000, description="updates of the potentials")
    batch_size: int = Field(default=128, ge=1, le=4096, description="images per update, all of one category")
    learning_rate: float = Field(default=0.02, gt=0, le=1, description="Adam's first step size; it falls to 0")
    prior: float = Field(default=1.0, gt=0, le=1000, description="pseudo-counts of each category's level frequencies")


class Checkerboard:
    """The two colours of the sites (C, H, W): no site has a neighbour of its own colour.

    `sites[colour]` are flat positions; `neighbours[colour]` (axes, 2, n) is, for each site, where its neighbour before
    and behind it along an axis stands among the sites of the other colour; one place further stands for "outside".
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._colour = np.indices(shape).sum(0) % 2
        self.sites = [np.flatnonzero(self._colour == which) for which in (0, 1)]
        self.axes = [axis for axis in (2, 1, 0) if shape[axis] > 1]
        self.neighbours = [self._find(which) for which in (0, 1)]

    def _find(self, which: int) -> npt.NDArray[np.int64]:
        other = self.sites[1 - which]
        place = np.full(self._colour.size, len(other))
        place[other] = np.arange(len(other))
        framed = np.pad(place.reshape(self._colour.shape), 1, constant_values=len(other))
        moved = [[np.roll(framed, step, axis) for step in (1, -1)] for axis in self.axes]
        return np.array([[one[1:-1, 1:-1, 1:-1].flat[self.sites[which]] for one in pair] for pair in moved])


class Generator(nn.Module):
    """Noise (N, 1 + (1 + sweeps) C H W) and categories (N,) to images (N, C, H, W): Gibbs sampling, colour by colour.

    A style is drawn first, then all sites from their unary potentials, then each sweep draws the one colour given the
    other (Geman & Geman 1984, section XI). Last, each site becomes the mean level given its neighbours. The potentials
    are kept as factors, exp(potential), and the uniform numbers are looked up: products and sums of the same numbers
    in the same order give the same levels in every engine.
    """

    uniform: Tensor
    style_ends: Tensor
    unary: Tensor
    pairs: Tensor
    means: Tensor
    running: Tensor
    order: Tensor

    def __init__(self, config: MRFConfig, shape: ImageShape) -> None:
        super().__init__()
        self.sweeps, self.levels = config.sweeps, config.levels
        self.pixels = (shape.channels, shape.size, shape.size)
        self.size = math.prod(self.pixels)
        board = Checkerboard(self.pixels)
        self.axes = board.axes
        middles = (torch.arange(BINS) + 0.5) * (2 * REACH / BINS) - REACH
        fitted = {
            "style_ends": torch.linspace(0, 1, config.styles + 1)[1:].repeat(shape.categories, 1),
            "unary": torch.ones(shape.categories * config.styles, self.size, config.levels),
            "pairs": torch.ones(len(board.axes), shape.categories * (config.levels + 1) ** 2, config.levels),
            "means": torch.linspace(-1, 1, config.levels),
        }
        fixed = {
            "uniform": torch.special.ndtr(middles.double()).float(),
            "running": torch.ones(config.levels, config.levels).triu(),
            "order": torch.from_numpy(np.argsort(np.concatenate(board.sites))),
        }
        for colour in (0, 1):
            fixed[f"sites_{colour}"] = torch.from_numpy(board.sites[colour])
            fixed[f"neighbours_{colour}"] = torch.from_numpy(board.neighbours[colour]).flatten()
        for name, values in (fitted | fixed).items():
            self.register_buffer(name, values, persistent=name in fitted)

    def forward(self, latent: Tensor, category: Tensor) -> Tensor:
        # index_select and embedding become one ONNX node each; brackets would become transposes too.
        bins = ((latent + REACH) * (BINS / (2 * REACH))).clamp(0, BINS - 1).long()
        uniform = functional.embedding(bins, self.uniform[:, None]).squeeze(2)
        ends = self.style_ends[category]
        style = (uniform[:, :1] > ends[:, :-1]).sum(1) + category * ends.shape[1]
        chosen = self.unary.index_select(0, style)
        unary = [chosen.index_select(1, self.get_buffer(f"sites_{colour}")) for colour in (0, 1)]
        noise = uniform[:, 1:].view(-1, 1 + self.sweeps, self.size)
        cut = unary[0].shape[1]
        states = [self._pick(unary[0], noise[:, 0, :cut]), self._pick(unary[1], noise[:, 0, cut:])]
        for sweep in range(1, self.sweeps + 1):
            states[0] = self._pick(self._weigh(0, unary[0], states[1], category), noise[:, sweep, :cut])
            states[1] = self._pick(self._weigh(1, unary[1], states[0], category), noise[:, sweep, cut:])
        weights = torch.cat([self._weigh(c, unary[c], states[1 - c], category) for c in (0, 1)], 1)
        values = (weights @ self.means) / weights.sum(2)
        return values.index_select(1, self.order).view(-1, *self.pixels).clamp(-1, 1)

    def _weigh(self, colour: int, unary: Tensor, others: Tensor, category: Tensor) -> Tensor:
        """Unnormalised probabilities (N, n, levels) of the sites of one colour given those of the other."""
        outside = torch.full_like(category, self.levels)[:, None]
        around = torch.cat((others, outside), 1).index_select(1, self.get_buffer(f"neighbours_{colour}"))
        around = around.view(-1, len(self.axes), 2, unary.shape[1])
        base = self.levels + 1
        rows = (category[:, None, None] * base + around[:, :, 0]) * base + around[:, :, 1]
        for axis in range(len(self.axes)):
            unary = unary * functional.embedding(rows[:, axis], self.pairs[axis])
        return unary

    def _pick(self, weights: Tensor, uniform: Tensor) -> Tensor:
        """The level of each site (N, n) by inverting the distribution function of its weights."""
        running = weights @ self.running
        return (uniform[..., None] * running[..., -1:] > running[..., :-1]).sum(-1)


class MRF(FittedFamily):
    """p(x) ~ exp(sum_s theta_s(x_s) + sum_(s, t) V(x_s, x_t)) over sites s and pairs (s, t) of neighbours.

    theta belongs to a category, a style (a cluster of the category's images) and a site; V to a category and an axis:
    across, down and, in colour, from channel to channel. Both maximise the pseudo-likelihood prod_s p(x_s | neighbours)
    (Besag 1975, eq. 6).
    """

    Config: ClassVar[type[FamilyConfig]] = MRFConfig
    title: ClassVar[str] = "Markov random field (Besag 1975; Geman & Geman 1984)"
    paper: ClassVar[str] = (
        "Besag: Statistical Analysis of Non-Lattice Data. The Statistician 24(3), 1975; Geman & Geman: Stochastic "
        "Relaxation, Gibbs Distributions, and the Bayesian Restoration of Images. IEEE TPAMI 6(6), 1984"
    )
    discrete: ClassVar[bool] = True

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        super().__init__(config, shape)
        self._config = cast(MRFConfig, config)
        self._generator = Generator(self._config, shape)

    @property
    def generator(self) -> nn.Module:
        return self._generator

    @property
    def latent(self) -> int:
        return 1 + (1 + self._config.sweeps) * self._generator.size

    @property
    def conditional(self) -> bool:
        return True

    def fit(self, images: Images, labels: Labels, progress: ProgressCallback) -> dict[str, float]:
        config, generator = self._config, self._generator
        missing = sorted(set(range(self.shape.categories)) - set(labels.tolist()))
        if missing:
            raise TrainingError(f"category {missing[0]} has no images, mrf needs some of each")
        levels, means = quantise(images, config.levels)
        styles = find_styles(images, labels, config.styles, config.seed)
        places = torch.from_numpy(labels) * config.styles + styles
        shares = torch.bincount(places, minlength=len(generator.unary)).view(self.shape.categories, -1).float()
        unary = count_levels(levels, places, config, self.shape).log().requires_grad_()
        pairs = torch.zeros(self.shape.categories, len(generator.axes), config.levels, config.levels).requires_grad_()
        bits = self._climb(levels, labels, places, unary, pairs, progress)
        with torch.no_grad():
            generator.means.copy_(means / 127.5 - 1)
            generator.style_ends.copy_((shares / shares.sum(1, keepdim=True)).cumsum(1))
            generator.unary.copy_((unary - unary.amax(2, keepdim=True)).exp())
            generator.pairs.copy_(tabulate(pairs))
        return {"pseudo_likelihood_bits_per_pixel": bits}

    def _climb(
        self, levels: Tensor, labels: Labels, places: Tensor, unary: Tensor, pairs: Tensor, progress: ProgressCallback
    ) -> float:
        """Adam on the negative logarithm of the pseudo-likelihood; returns its mean over the last tenth, in bits."""
        config, bits = self._config, []
        rows = [torch.from_numpy(np.flatnonzero(labels == category)) for category in range(self.shape.categories)]
        optimiser = torch.optim.Adam([unary, pairs], config.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.iterations)
        for iteration in range(config.iterations):
            category = iteration % self.shape.categories
            chosen = rows[category][torch.randint(len(rows[category]), (config.batch_size,))]
            cost = pseudo_likelihood(levels[chosen], unary[places[chosen]], pairs[category], self._generator.axes)
            optimiser.zero_grad()
            torch.autograd.backward(cost)
            optimiser.step()
            schedule.step()
            bits.append(float(cost.detach()) / math.log(2))
            progress(iteration + 1, config.iterations, f"pseudo-likelihood {bits[-1]:.3f} bits per pixel")
        return float(np.mean(bits[-max(self.shape.categories, config.iterations // 10) :]))


def pseudo_likelihood(levels: Tensor, unary: Tensor, pairs: Tensor, axes: list[int]) -> Tensor:
    """-ln p(x_s | neighbours), its mean over the sites s of `levels` (N, C, H, W), given `unary` (N, C H W, levels).

    `pairs` (axes, levels, levels) are the potentials V(x_before, x_behind) along each axis.
    """
    count = pairs.shape[-1]
    known = functional.one_hot(levels.long(), count).to(unary.dtype)
    logits = unary.view(known.shape)
    for potential, axis in zip(pairs, axes, strict=True):
        length = levels.shape[1 + axis]
        first, last = known.narrow(1 + axis, 0, length - 1), known.narrow(1 + axis, 1, length - 1)
        side = [0, 0] * (4 - 1 - axis)
        logits = logits + functional.pad(first @ potential, [*side, 1, 0])
        logits = logits + functional.pad(last @ potential.T, [*side, 0, 1])
    return functional.cross_entropy(logits.flatten(0, -2), levels.flatten().long())


def tabulate(pairs: Tensor) -> Tensor:
    """Factors (axes, categories (levels + 1)^2, levels) of a site's level, by the levels before and behind it."""
    padded = functional.pad(pairs, (0, 1, 0, 1))  # the last level is "outside", which has no say
    count = pairs.shape[-1]
    before = padded[:, :, :, None, :count]  # (categories, axes, before, 1, level)
    behind = padded.transpose(2, 3)[:, :, None, :, :count]  # (categories, axes, 1, behind, level)
    both = before + behind
    both = (both - both.amax(-1, keepdim=True)).exp()
    return both.transpose(0, 1).flatten(1, 3)


def quantise(images: Images, count: int) -> tuple[Tensor, Tensor]:
    """Levels uint8 (N, C, H, W) of images (N, H, W, C), and the grey (0..255) of each: Lloyd's quantiser (1982)."""
    histogram = np.bincount(np.asarray(images).reshape(-1), minlength=256).astype(np.float64)
    greys = np.arange(256)
    means = np.linspace(0, 255, count)
    for _ in range(100):
        nearest = np.abs(greys[:, None] - means).argmin(1)
        weight = np.bincount(nearest, histogram, count)
        total = np.bincount(nearest, histogram * greys, count)
        means = np.sort(np.where(weight > 0, total / np.maximum(weight, 1), means))
    nearest = np.abs(greys[:, None] - means).argmin(1).astype(np.uint8)
    return to_planes(nearest[np.asarray(images)]), torch.from_numpy(means).float()


def find_styles(images: Images, labels: Labels, count: int, seed: int) -> Tensor:
    """The style (N,) of each image, by k-means on the thumbnails of its category (Lloyd 1982).

    A category has fewer styles than `count` where they would have fewer than `MEMBERS` images each.
    """
    generator = torch.Generator().manual_seed(seed)
    styles = torch.zeros(len(images), dtype=torch.int64)
    for category in np.unique(labels):
        rows = np.flatnonzero(labels == category)
        points = functional.adaptive_avg_pool2d(to_planes(images[rows]).float(), THUMBNAIL).flatten(1)
        centres = points[torch.randperm(len(rows), generator=generator)[: max(1, min(count, len(rows) // MEMBERS))]]
        nearest = torch.zeros(len(rows), dtype=torch.int64)
        for _ in range(ROUNDS):
            nearest = torch.cdist(points, centres).argmin(1)
            sums = torch.zeros_like(centres).index_add_(0, nearest, points)
            members = torch.bincount(nearest, minlength=len(centres))[:, None]
            centres = torch.where(members > 0, sums / members.clamp_min(1), centres)
        styles[torch.from_numpy(rows)] = nearest
    return styles


def count_levels(levels: Tensor, places: Tensor, config: MRFConfig, shape: ImageShape) -> Tensor:
    """How often each site has each level (categories styles, C H W, levels), drawn to its category's by the prior.

    `places` (N,) is category * styles + style of each image of `levels` (N, C, H, W).
    """
    counts = torch.zeros(shape.categories * config.styles, levels[0].numel(), config.levels)
    for level in range(config.levels):
        counts[:, :, level].index_add_(0, places, (levels == level).flatten(1).float())
    whole = counts.view(shape.categories, config.styles, *counts.shape[1:]).sum(1) + 0.1
    common = (whole / whole.sum(2, keepdim=True)).repeat_interleave(config.styles, 0)
    smoothed = counts + config.prior * common
    return smoothed / smoothed.sum(2, keepdim=True)
