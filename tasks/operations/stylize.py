"""Stylize: a photograph, its product or its background painted in the style of a picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from models.arrays import Pixels, Planes
from models.errors import CatalogueError, InputError, RegistryError
from models.imaging.adjustments import restyling
from models.imaging.colour import to_levels, to_unit
from models.imaging.scaling.mirroring import mirror
from tasks.operations.background import Background
from tasks.operations.contract.operation import EditContext, Network, Operation, read_number
from tasks.operations.contract.region import Region
from tasks.photos.decoding import read_photo
from tasks.photos.picture import Picture
from tasks.provenance.source_type import Marking
from tasks.registry.slots import name_style, slot_of_style
from tasks.workspace.storage import digest_file

if TYPE_CHECKING:
    from torch import Tensor

    from models.losses.perceptual import Features

FeaturesName = Literal["auto", "vgg19", "lite0"]
Paint = Callable[[Pixels, Planes], Pixels]
"""From a picture (H, W, 3) and how much of each pixel (H, W) will be kept, to the painted picture."""

FAMILY = "faststyle"
FEATHER = 1.5
"""Pixels of sigma by which a given region fades at its edge, inwards."""
MARGIN = 0.05
"""Context around a region, as a share of its size."""
SURROUND = 32
"""Mirrored pixels around what a network paints, since its colours are off at the edges."""


class Stylize(Operation):
    """Paint in the style of a picture: of any picture by optimisation, or of one by the network trained for it.

    It is painted at a bounded size, and the change is transferred to the photograph, which keeps its detail. Outside
    the painted part, and everywhere at strength 0, pixels stay byte-equal. It may alter the product.
    """

    title: ClassVar[str] = "The style of a picture for the photograph, its product or its background"
    may_alter_product: ClassVar[bool] = True
    marking: ClassVar[Marking] = "compositeWithTrainedAlgorithmicMedia"
    value_field: ClassVar[str | None] = "style"
    example: ClassVar[str] = "stylize:tiles"

    op: Literal["stylize"] = "stylize"
    style: str = Field(min_length=1, description="a picture's file, or the name of a trained style")
    family: Literal["gatys", "fast"] | None = Field(
        default=None, description="gatys: by optimisation; fast: by a trained network; gatys for files otherwise"
    )
    strength: float = Field(default=1.0, ge=0, le=1, description="how much of it; 0 leaves the bytes as they are")
    keep_colours: bool = Field(default=False, description="change the lightness only")
    where: Literal["everywhere", "product", "background"] = Field(
        default="everywhere", description="what is painted; the product is found, or it is the region"
    )
    region: Region = Field(default=Region(), description="the product, or what is painted: a mask, boxes or polygons")
    size: int | None = Field(
        default=None, ge=64, le=2048, description="longer side at which it is painted: 384 by gatys, 512 by fast"
    )
    steps: int = Field(default=200, ge=1, le=5000, description="steps of the optimisation")
    features: FeaturesName = Field(default="auto", description="what gatys compares by; auto: VGG19 if it can be had")

    def apply(self, picture: Picture, context: EditContext) -> Picture:
        """The painted picture.

        Raises:
            InputError: the style is neither a picture nor a trained style, or the region does not fit the picture.
            SourceError: the features that were asked for cannot be had.
        """
        paint, size, note = self.find_painter(context)
        if self.strength == 0:
            return picture
        share, doubts = self.find_share(picture)
        if not share.any():
            return picture.with_pixels(picture.pixels, *doubts, "stylize: left as it was")
        window = restyling.frame(share, MARGIN)
        seen, part = picture.pixels[window], share[window]
        before = restyling.reduce(seen, size)
        after = paint(before, restyling.reduce(part, size))
        pixels = picture.pixels.copy()
        pixels[window] = restyling.lift(seen, before, after, part * np.float32(self.strength), self.keep_colours)
        return picture.with_pixels(pixels, *doubts, note)

    def find_share(self, picture: Picture) -> tuple[Planes, tuple[str, ...]]:
        """How much of each pixel (H, W) is painted, in 0..1, and reasons to doubt it."""
        shape = (picture.height, picture.width)
        if not self.region.is_empty:
            inside = self.region.rasterise(*shape)
            return restyling.soften(~inside if self.where == "background" else inside, FEATHER), ()
        if self.where == "everywhere":
            return np.ones(shape, np.float32), ()
        matte, doubts = Background().find_matte(picture)
        notes = tuple(f"stylize: {doubt}" for doubt in doubts)
        return (matte if self.where == "product" else 1 - matte), notes

    def find_painter(self, context: EditContext) -> tuple[Paint, int, str]:
        """The painter, its working size, and a note about it."""
        path = Path(self.style)
        if self.family == "gatys" or (self.family is None and path.is_file()):
            style, size = read_style(path), self.size or 384
            note = f"stylize: {path.name} by {self.steps} steps of optimisation on {self.name_features()}"
            return self.optimiser(style, size), size, note
        network = find_network(self.style, context)
        note = f"stylize: {name_style(self.style)} by {network.family}, version {network.version} of {network.slot}"
        return lambda pixels, _: paint_by_network(network, pixels), self.size or 512, note

    def name_features(self) -> str:
        """The features the optimisation compares, and whether they stand in for others."""
        name = load_features(self.features).name
        return f"{name}, since VGG19 cannot be fetched" if self.features == "auto" and name != "vgg19" else name

    def optimiser(self, style: Pixels, size: int) -> Paint:
        """What paints by optimisation."""

        def paint(pixels: Pixels, share: Planes) -> Pixels:
            from models.families.gatys import paint_towards

            picture, target = pixels, restyling.reduce(style, size)
            if self.keep_colours:
                picture, target = restyling.to_grey(pixels), restyling.match_luma(target, pixels)
            marked = to_tensor(share[..., None]) if share.min() < 1 else None
            made = paint_towards(
                to_tensor(picture), to_tensor(target), load_features(self.features), self.steps, marked
            )
            return to_levels(made[0].permute(1, 2, 0).numpy())

        return paint


def read_style(path: Path) -> Pixels:
    """The style picture, uint8 (H, W, 3).

    Raises:
        InputError: it cannot be read.
    """
    try:
        return np.asarray(read_photo(path).convert("RGB"))
    except (CatalogueError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error).removeprefix(f"{path}: ")
        raise InputError("style", str(path), f"a picture's file, or a trained style, but it is {reason}") from error


def find_network(style: str, context: EditContext) -> Network:
    """The network of a trained style, found by its name or its picture's file.

    Raises:
        InputError: no style of that name was trained, or it was trained from another picture.
    """
    slot, path = slot_of_style(style), Path(style)
    if path.suffix and not path.is_file():
        raise InputError("style", style, "the file of a picture that is there, or the name of a trained style")
    try:
        network = context.networks.network(slot, FAMILY)
    except RegistryError as error:
        allowed = f"a picture's file, or a trained style, of which {slot} would be the slot: {error}"
        raise InputError("style", style, allowed) from error
    if path.is_file() and digest_file(path) != network.facts.get("style_sha256"):
        allowed = f"{name_style(style)}, without a file: {slot} was trained from another picture of that name"
        raise InputError("style", style, allowed)
    return network


def paint_by_network(network: Network, pixels: Pixels) -> Pixels:
    """The picture (H, W, 3) as the network paints it.

    Raises:
        RegistryError: the network does not say which sides it takes.
    """
    multiple = read_number(network, "multiple")
    height, width = pixels.shape[:2]
    wider = np.pad(pixels, ((SURROUND, SURROUND), (SURROUND, SURROUND), (0, 0)), "symmetric")
    planes = to_unit(mirror(wider, multiple)).transpose(2, 0, 1)[None]
    made = network.run(image=np.ascontiguousarray(planes))[0].transpose(1, 2, 0)
    return to_levels(made[SURROUND : SURROUND + height, SURROUND : SURROUND + width])


@lru_cache(maxsize=1)
def load_features(name: FeaturesName) -> Features:
    """The feature network, loaded once."""
    from models.losses import perceptual

    return perceptual.load_features(name)


def to_tensor(values: Pixels | Planes) -> Tensor:
    """An array (H, W, C) as a tensor (1, C, H, W), in [0, 1]."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(to_unit(values).transpose(2, 0, 1)[None]))
