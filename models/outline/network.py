"""The network that outlines a product: EfficientNet-Lite0's features, and a decoder that takes them to full size."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.losses.perceptual import Features, Folded, load_lite0

TAPS = ("block0", "block2", "block4", "block10", "block15")
"""16, 24, 40, 112 and 320 channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size."""
CHANNELS = (16, 24, 40, 112, 320)
WIDTHS = (16, 32, 48, 96)
"""The decoder's channels at 1/2, 1/4, 1/8 and 1/16."""
STRIDE = 32
KEPT = ("stem", "block0", "block1", "block2")
"""Stages that stay as ImageNet left them: edges and colours need no other training."""


class Merge(nn.Module):
    """Twice the size, joined with the encoder's map of that size (Ronneberger et al. 2015, figure 1)."""

    def __init__(self, deep: int, skip: int, width: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(deep, width, 1)
        self.skip = nn.Conv2d(skip, width, 1)
        self.blend = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, groups=width),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
        )

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        raised = functional.interpolate(self.reduce(deep), scale_factor=2.0, mode="bilinear", align_corners=False)
        joined = functional.relu(raised + self.skip(skip))
        made: Tensor = self.blend(joined)
        return made + joined


class Outliner(nn.Module):
    """Photos (N, 3, H, W) in [0, 1], sides multiples of 32, to logits (N, 1, H, W) and a logit of trust (N,).

    The trust is the intersection over union that the outline is expected to reach; no gradient passes from it into
    the outline.
    """

    def __init__(self, encoder: Features) -> None:
        super().__init__()
        self.encoder = encoder
        self.around = nn.Conv2d(CHANNELS[4], CHANNELS[4], 1)
        deep, merges = CHANNELS[4], []
        for skip, width in zip(CHANNELS[3::-1], WIDTHS[::-1], strict=True):
            merges.append(Merge(deep, skip, width))
            deep = width
        self.merges = nn.ModuleList(merges)
        self.detail = nn.Sequential(nn.Conv2d(WIDTHS[0] + 3, 12, 3, padding=1), nn.ReLU())
        self.outline = nn.Conv2d(12, 1, 3, padding=1)
        self.trust = nn.Sequential(nn.Linear(CHANNELS[4] + 2 * WIDTHS[3] + 3, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.encoder(photos, TAPS)
        deep = maps["block15"]
        deep = deep + self.around(deep.mean((2, 3), keepdim=True))
        bottom, current = maps["block15"], deep
        coarse = current
        for place, (merge, name) in enumerate(zip(self.merges, TAPS[3::-1], strict=True)):
            current = merge(current, maps[name])
            coarse = current if place == 0 else coarse
        raised = functional.interpolate(current, scale_factor=2.0, mode="bilinear", align_corners=False)
        logits: Tensor = self.outline(self.detail(torch.cat([raised, photos - 0.5], 1)))
        return logits, self.judge(logits.detach(), bottom.detach(), coarse.detach())

    def judge(self, logits: Tensor, bottom: Tensor, coarse: Tensor) -> Tensor:
        """The logit of trust (N,), from the outline and from what lies inside and outside it."""
        share = logits.sigmoid()
        small = functional.avg_pool2d(share, STRIDE // 2)
        inside = (coarse * small).mean((2, 3)) / (small.mean((2, 3)) + 1e-3)
        outside = (coarse * (1 - small)).mean((2, 3)) / (1 - small.mean((2, 3)) + 1e-3)
        area, unsure = share.mean((1, 2, 3)), (share * (1 - share)).mean((1, 2, 3))
        facts = torch.stack([area, unsure * 10, unsure / (area + 1e-2)], 1)
        judged: Tensor = self.trust(torch.cat([bottom.mean((2, 3)), inside, outside, facts], 1))
        return judged[:, 0]


def build_outliner() -> Outliner:
    """An untrained outliner on ImageNet's features, whose later stages are free to learn.

    Raises:
        SourceError: the features' wheel is not installed.
    """
    encoder = load_lite0()
    for name, stage in zip(encoder.names, encoder.stages, strict=True):
        if name not in KEPT:
            free(stage)
    return Outliner(encoder)


def free(stage: nn.Module) -> None:
    """Makes parameters of a folded stage's constants."""
    for part in [module for module in stage.modules() if isinstance(module, Folded)]:
        for name in ("weight", "bias"):
            values = getattr(part, name).clone()
            delattr(part, name)
            part.register_parameter(name, nn.Parameter(values))
