"""What small pictures go through before a network learns to enlarge them: blur, noise and JPEG, drawn for each."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from models.arrays import Pixels
from models.imaging.adjustments.degradation import add_noise, blur, compress_jpeg
from models.imaging.colour import to_unit

UNTOUCHED = 100


class DegradeConfig(BaseModel):
    """The strongest degradation of the small pictures; the default changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blur: float = Field(default=0.0, ge=0, le=5, description="largest sigma of a blur, in pixels of the small picture")
    noise: float = Field(default=0.0, ge=0, le=50, description="largest sigma of noise, in grey levels")
    compress: int = Field(default=UNTOUCHED, ge=1, le=100, description="lowest JPEG quality; 100 leaves JPEG out")

    @property
    def is_idle(self) -> bool:
        """Whether nothing is changed."""
        return self == DegradeConfig()


def worsen(luma: Tensor, config: DegradeConfig) -> Tensor:
    """Degrade luma (N, 1, H, W) in [0, 1], each picture by its own amounts; draws from torch's CPU random numbers."""
    if config.is_idle:
        return luma
    generator = np.random.default_rng(int(torch.randint(2**31, ())))
    levels = (luma[:, 0].cpu() * 255).round().byte().numpy()
    made = np.stack([degrade(np.repeat(plane[..., None], 3, axis=2), config, generator) for plane in levels])
    return torch.from_numpy(to_unit(made[..., 0])).unsqueeze(1).to(luma.device)


def degrade(grey: Pixels, config: DegradeConfig, generator: np.random.Generator) -> Pixels:
    """A grey picture (H, W, 3) blurred, then noisy, then compressed: lens, sensor, file."""
    sigma, noise = generator.uniform(0, config.blur), generator.uniform(0, config.noise)
    quality = int(generator.integers(config.compress, UNTOUCHED, endpoint=True))
    made = add_noise(blur(grey, sigma), noise, generator)
    made[...] = made[..., 1:2]  # one draw of noise for all channels: it is luma
    return made if quality == UNTOUCHED else compress_jpeg(made, quality)
