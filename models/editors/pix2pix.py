"""pix2pix for holes: a U-Net that corrects a smooth filling, judged patch by patch (Isola et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.families.family import FamilyConfig, ImageShape, Parts
from models.families.free_form import BUCKETS, draw_mask
from models.families.residual import SLOPE, Residual
from models.families.restoration import Degraded, RestorationConfig, RestorationFamily, from_bytes, from_signed, turn
from models.imaging.filling.fill import fill_by_opencv
from models.losses.games import GAMES
from models.losses.perceptual import Features, load_features, perceptual_distance
from models.losses.regularisers import normalise_spectrum

GREY = 0.5
"""What a hole is filled with before the network sees it."""
DEPTHS = (1, 2, 4, 5)
"""Channels at 1/2, 1/4, 1/8 and 1/16 of the size, in widths."""
MULTIPLE = 16
"""The sides that the network takes are multiples of this."""
REACH = 9
"""How far known colours spread into a wide hole, in pixels at a sixteenth of the size."""
FADE = 1.0
FAINT = 1e-4

Weight = Annotated[float, Field(ge=0, le=100)]


class Pix2PixConfig(RestorationConfig):
    """The networks' sizes, and what the generator is trained by beside the absolute error in the hole."""

    family: Literal["pix2pix"] = "pix2pix"
    ema: Annotated[float, Field(ge=0, lt=1, description="decay of the generator's moving average; 0 is none")] = 0.995
    width: int = Field(
        default=32, ge=4, le=128, description="channels at half the size; at a sixteenth five times that"
    )
    patch_width: int = Field(default=24, ge=4, le=128, description="channels of the discriminator's first layer")
    finish: float = Field(
        default=0.4, ge=0, le=1, description="last share of the training with the perceptual and the adversarial loss"
    )
    perceptual: float = Field(default=0.05, ge=0, le=100, description="weight of the distance of features; 0 is off")
    adversarial: float = Field(default=0.001, ge=0, le=100, description="weight of the discriminator; 0 is off")


class Generator(nn.Module):
    """Images (N, 3, H, W) in [0, 1], grey in the hole, and masks (N, 1, H, W), 1 in the hole, to whole images.

    The hole is filled smoothly, and a U-Net (Ronneberger et al. 2015) predicts what to add there. Known pixels are
    put back unchanged.
    """

    kernel: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = [depth * width for depth in DEPTHS]
        pairs = list(zip(channels, channels[1:], strict=False))
        self.head = nn.Conv2d(4, channels[0], 4, stride=2, padding=1)
        self.encoders = nn.ModuleList(Residual(count) for count in channels[:-1])
        self.downs = nn.ModuleList(nn.Conv2d(few, many, 3, stride=2, padding=1) for few, many in pairs)
        self.middle = nn.Sequential(Residual(channels[-1], 2), Residual(channels[-1]))
        self.ups = nn.ModuleList(nn.Conv2d(many, few, 1) for few, many in pairs)
        self.decoders = nn.ModuleList(Residual(count) for count in channels[:-1])
        self.tail = nn.Conv2d(channels[0], 12, 3, padding=1)
        with torch.no_grad():
            self.tail.weight.mul_(0.1)
        steps = torch.arange(-REACH, REACH + 1).abs().float()
        line = torch.exp(-steps / FADE)
        self.register_buffer("kernel", torch.outer(line, line)[None, None], persistent=False)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        smooth = fill_smoothly(image, 1 - mask, self.kernel)
        features = self.head(torch.cat((smooth * 2 - 1, mask), 1))
        kept = []
        for encode, shrink in zip(self.encoders, self.downs, strict=True):
            kept.append(encode(features))
            features = shrink(functional.leaky_relu(kept[-1], SLOPE))
        features = self.middle(features)
        for index in reversed(range(len(kept))):
            larger = functional.interpolate(self.ups[index](features), scale_factor=2.0, mode="nearest")
            features = self.decoders[index](larger + kept[index])
        added = functional.pixel_shuffle(self.tail(functional.leaky_relu(features, SLOPE)), 2)
        return image * (1 - mask) + (smooth + added) * mask


class Discriminator(nn.Module):
    """Images (N, 3, H, W) and masks (N, 1, H, W) to logits of 46x46 patches (Isola et al. 2017, section 3.2.2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        counts = (4, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for few, many in zip(counts, counts[1:], strict=False):
            layers += [nn.Conv2d(few, many, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(counts[-1], 1, 4, padding=1))

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.layers(torch.cat((image * 2 - 1, mask), 1))
        return logits


class Pix2Pix(RestorationFamily):
    """Absolute error in the hole first, then also the distance of features and the discriminator's verdict."""

    Config: ClassVar[type[FamilyConfig]] = Pix2PixConfig
    title: ClassVar[str] = "pix2pix: a U-Net fills holes, judged by patches"
    paper: ClassVar[str] = (
        "Isola et al.: Image-to-Image Translation with Conditional Adversarial Networks. CVPR 2017, arXiv:1611.07004"
    )
    capability: ClassVar[str] = "inpaint"
    degradation: ClassVar[str] = "free-form holes that take 1 to 10, 10 to 20 and 20 to 40 % of the area, in turn"
    baseline_name: ClassVar[str] = "Telea"
    tiny: ClassVar[Mapping[str, object]] = {"perceptual": 0, "finish": 1}
    config: Pix2PixConfig

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        super().__init__(config, shape)
        self._generator = Generator(self.config.width)
        self._discriminator = Discriminator(self.config.patch_width)
        normalise_spectrum(self._discriminator)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self._generator, "discriminator": self._discriminator}

    @property
    def facts(self) -> dict[str, Any]:
        return {"size": self.shape.size, "multiple": MULTIPLE, "grey": GREY}

    @property
    def keeps_from(self) -> float:
        """Without the finishing losses PSNR is higher, but textures are too smooth."""
        return 1 - self.config.finish if self.config.perceptual or self.config.adversarial else 0.0

    @cached_property
    def features(self) -> Features:
        """The pinned network, so that a training does not depend on what its machine could fetch."""
        return load_features("lite0")

    def degrade(self, clean: Tensor) -> Degraded:
        """Images (N, C, H, W) with a free-form hole of one of the buckets each, in turn; C is 1 or 3."""
        clean = clean.expand(-1, 3, -1, -1)
        generator = np.random.default_rng(int(torch.randint(2**31, ())))
        height, width = clean.shape[2:]
        drawn = [draw_mask(height, width, BUCKETS[place % len(BUCKETS)], generator) for place in range(len(clean))]
        mask = torch.from_numpy(np.stack(drawn)[:, None]).to(clean)
        return Degraded({"image": hide(clean, mask), "mask": mask}, clean)

    def baseline(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The holes filled by Telea's method."""
        holes = (inputs["mask"][:, 0] > 0.5).cpu().numpy()
        images = (inputs["image"].clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        filled = [fill_by_opencv("telea", *pair) for pair in zip(images, holes, strict=True)]
        return from_bytes(np.stack(filled))

    def sample_inputs(self, height: int, width: int) -> dict[str, Tensor]:
        sides = [-(-side // MULTIPLE) * MULTIPLE for side in (height, width)]
        mask = (torch.rand(2, 1, *sides) > 0.6).float()
        return {"image": hide(torch.rand(2, 3, *sides), mask), "mask": mask}

    def step(self, parts: Parts, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Update the discriminator once its phase has begun, then the generator."""
        degraded = self.degrade(turn(from_signed(images)))
        image, mask = degraded.inputs["image"], degraded.inputs["mask"]
        made = parts.networks["generator"](image, mask)
        errors = ((made - degraded.target).abs() * mask).sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3)))
        loss = errors.mean()
        losses = {"loss_generator": loss.detach()}
        if parts.done >= 1 - self.config.finish:
            if self.config.perceptual:
                with torch.no_grad():
                    wanted = self.features(degraded.target)
                distance = perceptual_distance(self.features(made), wanted).mean()
                loss, losses["loss_perceptual"] = loss + self.config.perceptual * distance, distance.detach()
            if self.config.adversarial:
                loss = loss + self.config.adversarial * self._play(parts, made, degraded.target, mask, losses)
        parts.update("generator", loss)
        return losses

    def _play(self, parts: Parts, made: Tensor, real: Tensor, mask: Tensor, losses: dict[str, Tensor]) -> Tensor:
        """Update the discriminator and return the generator's adversarial loss, also noted in `losses`."""
        game, discriminator = GAMES["non-saturating"], parts.networks["discriminator"]
        on_real = discriminator(real, mask)
        judged = game.discriminator(on_real, discriminator(made.detach(), mask))
        parts.update("discriminator", judged)
        losses["loss_discriminator"] = judged.detach()
        return game.generator(on_real.detach(), discriminator(made, mask))


def hide(images: Tensor, mask: Tensor) -> Tensor:
    """Images (N, C, H, W) with grey where the mask (N, 1, H, W) is 1."""
    return images * (1 - mask) + GREY * mask


def fill_smoothly(image: Tensor, known: Tensor, kernel: Tensor) -> Tensor:
    """Images whose unknown pixels (`known` (N, 1, H, W) is 0) are filled by ever coarser averages of the known ones.

    Pull and push (Gortler et al. 1996, section 3.4). At a sixteenth of the size what is still unknown is averaged over
    the known by `kernel` (1, 1, k, k), which falls off with the distance (Shepard 1968). In float32 everywhere.
    """
    with torch.autocast(image.device.type, enabled=False):
        image, known = image.float(), known.float()
        pulled, weights = [image * known], [known]
        for _ in DEPTHS:
            pulled.append(functional.avg_pool2d(pulled[-1], 2))
            weights.append(functional.avg_pool2d(weights[-1], 2))
        total, weight = pulled[-1], weights[-1]
        rest = (total.mean((2, 3), keepdim=True) + FAINT * GREY) / (weight.mean((2, 3), keepdim=True) + FAINT)
        spread = functional.conv2d(total, kernel.expand(3, 1, -1, -1), padding=REACH, groups=3)
        near = functional.conv2d(weight, kernel, padding=REACH)
        filled = (spread + FAINT * rest) / (near + FAINT)
        for total, weight in zip(pulled[-2::-1], weights[-2::-1], strict=True):
            larger = functional.interpolate(filled, scale_factor=2.0, mode="bilinear", align_corners=False)
            filled = total + (1 - weight) * larger
        return filled
