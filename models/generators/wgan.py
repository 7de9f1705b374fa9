"""WGAN: the Wasserstein game, by weight clipping (Arjovsky et al. 2017) or gradient penalty (Gulrajani et al. 2017)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from models.families.adversarial import AdversarialConfig, Clip, Loss, Norm, Penalty, Updates
from models.families.family import FamilyConfig, ImageShape
from models.generators.dcgan import DCGAN


class WGANConfig(AdversarialConfig):
    """WGAN's parameters: Gulrajani et al. 2017, algorithm 1, with layer norm (section 4) and five critic updates.

    The batch is shared out among the critic's updates, so that each sees fresh images: 64 of 320.
    """

    family: Literal["wgan"] = "wgan"
    critic: Literal["penalty", "clip"] = Field(
        default="penalty", description="what bounds the critic's slope: gradient_penalty or weight_clip"
    )
    batch_size: int = Field(default=320, ge=2, le=4096, description="images per update")
    learning_rate: float = Field(default=1e-4, gt=0, le=1, description="step size of all networks")
    beta1: float = Field(default=0.0, ge=0, lt=1, description="Adam's first moment, or SGD's momentum")
    beta2: float = Field(default=0.9, ge=0, lt=1, description="Adam's second moment")
    loss: Loss = "wasserstein"
    critic_updates: Updates = 5
    discriminator_norm: Norm = "layer"
    gradient_penalty: Penalty = 10.0
    weight_clip: Clip = 0.01


class WGAN(DCGAN):
    """The Wasserstein game between the networks of DCGAN, one of the two bounds on the critic at work."""

    Config: ClassVar[type[FamilyConfig]] = WGANConfig
    title: ClassVar[str] = "Wasserstein GAN (Arjovsky et al. 2017, Gulrajani et al. 2017)"
    paper: ClassVar[str] = (
        "Arjovsky, Chintala & Bottou: Wasserstein GAN. ICML 2017, arXiv:1701.07875; Gulrajani et al.: Improved "
        "Training of Wasserstein GANs. NeurIPS 2017, arXiv:1704.00028"
    )

    def __init__(self, config: FamilyConfig, shape: ImageShape) -> None:
        clips = getattr(config, "critic", None) == "clip"
        unused = {"gradient_penalty": 0.0} if clips else {"weight_clip": 0.0}
        super().__init__(config.model_copy(update=unused), shape)
