"""A photograph being edited: its pixels, and where each pixel of the original went."""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.arrays import Pixels


@dataclass(frozen=True)
class Placement:
    """Where the original's pixels are now: its point (x, y) is at (x * scale + left, y * scale + top)."""

    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def then(self, scale: float = 1.0, left: float = 0.0, top: float = 0.0) -> Placement:
        """This placement followed by another: scaled by `scale`, then shifted by `left` and `top` new pixels."""
        return Placement(self.scale * scale, self.left * scale + left, self.top * scale + top)


@dataclass(frozen=True)
class Picture:
    """What an operation takes and returns; nothing in it is changed in place.

    `pixels` is (H, W, 3) in RGB, upright; `alpha` is (H, W), 255 opaque, or None; `profile` is the ICC profile that
    the pixels are in, None for sRGB. `notes` are lines for the user: what was chosen, converted or left out.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    profile: bytes | None = None
    placement: Placement = Placement()
    notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    def with_pixels(self, pixels: Pixels, *notes: str) -> Picture:
        """The same picture with other pixels of the same size."""
        return replace(self, pixels=pixels, notes=self.notes + notes)
