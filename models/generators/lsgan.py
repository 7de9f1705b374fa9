"""LSGAN: the least-squares losses of Mao et al. (2017), which also move samples that the discriminator believes."""

from __future__ import annotations

from typing import ClassVar, Literal

from models.families.adversarial import AdversarialConfig, Loss
from models.families.family import FamilyConfig
from models.generators.dcgan import DCGAN


class LSGANConfig(AdversarialConfig):
    """LSGAN's parameters (Mao et al. 2017, section 4)."""

    family: Literal["lsgan"] = "lsgan"
    loss: Loss = "least-squares"


class LSGAN(DCGAN):
    """The least-squares game between the two networks of DCGAN."""

    Config: ClassVar[type[FamilyConfig]] = LSGANConfig
    title: ClassVar[str] = "Least-squares GAN (Mao et al. 2017)"
    paper: ClassVar[str] = "Mao et al.: Least Squares Generative Adversarial Networks. ICCV 2017, arXiv:1611.04076"
