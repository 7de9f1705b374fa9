"""Colour for grey pictures: a network that says how likely each colour is (Zhang, Isola & Efros 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.families.family import FamilyConfig, ImageShape, Parts
from models.families.residual import SLOPE, Residual
from models.families.restoration import Degraded, RestorationConfig, RestorationFamily, from_signed
from models.imaging.colour import EPSILON, KAPPA, WHITE, XYZ_OF_RGB, rgb_to_lab

GRID = 10
"""Sides of the bins of a and b, in units of CIE Lab."""
NEIGHBOURS = 5
SPREAD = 5.0
"""A colour counts for its nearest bins, by a Gaussian of so many units of Lab (section 2.2 of the paper)."""
COARSE = 4
"""Colours are drawn at a quarter of the picture's size: eyes see colour less sharply than light."""
DEPTHS = (1, 2, 4, 6)
"""Channels at 1/2, 1/4, 1/8 and 1/16 of the size, in widths."""
MULTIPLE = 16
"""The sides that the network takes are multiples of this."""
REMEMBERED = 0.99
"""What the record of how common each colour is keeps at each update."""


class ColorfulConfig(RestorationConfig):
    """The network's size, and how rare colours are taught and chosen."""

    family: Literal["colorful"] = "colorful"
    ema: Annotated[float, Field(ge=0, lt=1, description="decay of the generator's moving average; 0 is none")] = 0.995
    width: int = Field(default=24, ge=4, le=128, description="channels at half the size; at a sixteenth six times that")
    rare: float = Field(
        default=0.05, ge=0, le=1, description="how much more rare colours count; 0: all alike, the paper has 0.5"
    )
    temperature: float = Field(
        default=0.38, gt=0, le=1, description="of the mean over colours: 1 is the plain mean, near 0 the likeliest"
    )


@lru_cache(maxsize=1)
def colour_bins() -> npt.NDArray[np.float32]:
    """The centres (a, b) of the bins that sRGB has colours in, (Q, 2)."""
    levels = np.linspace(0, 1, 33, dtype=np.float32)
    lab = rgb_to_lab(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3))
    bins: npt.NDArray[np.float32] = np.unique(np.rint(lab[:, 1:] / GRID), axis=0).astype(np.float32) * GRID
    return bins


class Generator(nn.Module):
    """Lightness (N, 1, H, W), CIE L / 100, to pictures (N, 3, H, W) in [0, 1]; H and W are multiples of 16."""

    bins: Tensor
    common: Tensor
    to_linear: Tensor

    def __init__(self, width: int, temperature: float) -> None:
        super().__init__()
        channels = [depth * width for depth in DEPTHS]
        pairs = list(zip(channels, channels[1:], strict=False))
        self.temperature = temperature
        self.head = nn.Conv2d(1, channels[0], 4, stride=2, padding=1)
        self.encoders = nn.ModuleList(Residual(count) for count in channels[:-1])
        self.downs = nn.ModuleList(nn.Conv2d(few, many, 3, stride=2, padding=1) for few, many in pairs)
        self.middle = nn.Sequential(Residual(channels[-1], 2), Residual(channels[-1]))
        self.ups = nn.ModuleList(nn.Conv2d(many, few, 1) for few, many in pairs[1:])
        self.decoders = nn.ModuleList(Residual(count) for count in channels[1:-1])
        self.broaden = nn.Conv2d(channels[1], channels[2], 3, padding=1)
        bins = torch.from_numpy(colour_bins())
        self.tail = nn.Conv2d(channels[2], len(bins), 1)
        inverse = np.linalg.inv(XYZ_OF_RGB) @ np.diag(WHITE)
        self.register_buffer("bins", bins, persistent=False)
        self.register_buffer("to_linear", torch.from_numpy(inverse).float(), persistent=False)
        self.register_buffer("common", torch.full((len(bins),), 1 / len(bins)))

    def forward(self, image: Tensor) -> Tensor:
        likely = torch.softmax(self.score(image).float() / self.temperature, 1)
        colour = torch.einsum("nqhw,qc->nchw", likely, self.bins)
        fine = functional.interpolate(colour, scale_factor=float(COARSE), mode="bilinear", align_corners=False)
        return lab_planes_to_rgb(torch.cat((image * 100, fine), 1), self.to_linear)

    def score(self, image: Tensor) -> Tensor:
        """The logits (N, Q, H / 4, W / 4) of all bins."""
        features, kept = self.head(image * 2 - 1), []
        for encode, shrink in zip(self.encoders, self.downs, strict=True):
            kept.append(encode(features))
            features = shrink(functional.leaky_relu(kept[-1], SLOPE))
        features = self.middle(features)
        for raise_, decode, beside in zip(reversed(self.ups), reversed(self.decoders), reversed(kept[1:]), strict=True):
            larger = functional.interpolate(raise_(features), scale_factor=2.0, mode="nearest")
            features = decode(larger + beside)
        broad = self.broaden(functional.leaky_relu(features, SLOPE))
        logits: Tensor = self.tail(functional.leaky_relu(broad, SLOPE))
        return logits


class Colorful(RestorationFamily):
    """Cross-entropy over colours, in which rare ones count more; their annealed mean is what is drawn."""

    Config: ClassVar[type[FamilyConfig]] = ColorfulConfig
    title: ClassVar[str] = "colour for grey pictures by classification (Zhang et al. 2016)"
    paper: ClassVar[str] = "Zhang, Isola & Efros: Colorful Image Colorization. ECCV 2016, arXiv:1603.08511"
    capability: ClassVar[str] = "colorize"
    degradation: ClassVar[str] = "colours away, the lightness (CIE L) alone is given"
    baseline_name: ClassVar[str] = "the grey picture"
    forward_methods: ClassVar[tuple[str, ...]] = ("score",)
    config: ColorfulConfig

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        super().__init__(config, shape)
        self._generator = Generator(self.config.width, self.config.temperature)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self._generator}

    @property
    def facts(self) -> dict[str, Any]:
        return {"size": self.shape.size, "multiple": MULTIPLE}

    def degrade(self, clean: Tensor) -> Degraded:
        """The lightness of images (N, C, H, W), and the images in RGB; C is 1 or 3."""
        clean = clean.expand(-1, 3, -1, -1)
        return Degraded({"image": to_lab(clean)[:, :1] / 100}, clean)

    def baseline(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The grey picture of that lightness."""
        lightness = inputs["image"] * 100
        grey = torch.cat((lightness, torch.zeros_like(lightness), torch.zeros_like(lightness)), 1)
        return lab_planes_to_rgb(grey, self._generator.to_linear.to(grey.device))

    def sample_inputs(self, height: int, width: int) -> dict[str, Tensor]:
        return {"image": torch.rand(2, 1, *(-(-side // MULTIPLE) * MULTIPLE for side in (height, width)))}

    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """One update by the cross-entropy of eq. 2 of the paper."""
        clean = from_signed(images).expand(-1, 3, -1, -1)
        wanted = spread_over_bins(to_lab(functional.avg_pool2d(clean, COARSE))[:, 1:], self._generator.bins)
        logits = cast(Generator, parts.networks["generator"]).score(self.degrade(clean).inputs["image"])
        weight = (wanted * self.weigh(wanted.mean((0, 2, 3)))[:, None, None]).sum(1)
        loss = (-(wanted * functional.log_softmax(logits.float(), 1)).sum(1) * weight).mean()
        parts.update("generator", loss)
        return {"loss_generator": loss.detach()}

    def weigh(self, seen: Tensor) -> Tensor:
        """What each bin (Q,) counts: the rarer the more (eq. 4, whose lambda is 1 - `rare`); `seen`: its share here."""
        with torch.no_grad():
            common = self._generator.common
            common.lerp_(seen.to(common), 1 - REMEMBERED)
            weights = 1 / (self.config.rare * common + (1 - self.config.rare) / len(common))
            return weights / (weights * common).sum()


def spread_over_bins(colours: Tensor, bins: Tensor) -> Tensor:
    """Colours (N, 2, h, w) in a and b as shares (N, Q, h, w) of their nearest bins."""
    distances = torch.cdist(colours.permute(0, 2, 3, 1).flatten(0, 2), bins)
    nearest, places = distances.topk(NEIGHBOURS, largest=False)
    shares = torch.softmax(-nearest.square() / (2 * SPREAD**2), 1)
    spread = torch.zeros_like(distances).scatter_(1, places, shares)
    return spread.view(len(colours), *colours.shape[2:], len(bins)).permute(0, 3, 1, 2)


def to_lab(images: Tensor) -> Tensor:
    """CIE Lab (N, 3, H, W) of images (N, 3, H, W) in [0, 1]."""
    lab = rgb_to_lab(images.permute(0, 2, 3, 1).cpu().numpy())
    return torch.from_numpy(lab).permute(0, 3, 1, 2).to(images.device)


def lab_planes_to_rgb(lab: Tensor, to_linear: Tensor) -> Tensor:
    """sRGB (N, 3, H, W) in [0, 1] of CIE Lab (N, 3, H, W), clipped; `to_linear` (3, 3) is from shares of white."""
    with torch.autocast(lab.device.type, enabled=False):
        lightness, a, b = lab.float().chunk(3, 1)
        middle = (lightness + 16) / 116
        curve = torch.cat((middle + a / 500, middle, middle - b / 200), 1)
        shares = torch.where(curve**3 > EPSILON, curve**3, (116 * curve - 16) / KAPPA)
        light = torch.einsum("nihw,ci->nchw", shares, to_linear).clamp(0, 1)
        return torch.where(light <= 0.0031308, light * 12.92, 1.055 * light.clamp(min=1e-4) ** (1 / 2.4) - 0.055)
