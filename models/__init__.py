"""MATHS: one file per family; knows nothing of Prefect, MLflow or DVC."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from models.errors import InputError

if TYPE_CHECKING:
    from models.family import Family

FAMILIES: dict[str, str] = {
    "dcgan": "models.dcgan:DCGAN",
    "lsgan": "models.lsgan:LSGAN",
    "wgan": "models.wgan:WGAN",
    "sngan": "models.sngan:SNGAN",
    "vae": "models.vae:VAE",
    "pixelcnn": "models.pixelcnn:PixelCNNFamily",
    "gp": "models.gp:GP",
    "mrf": "models.mrf:MRF",
    "srcnn": "models.srcnn:SRCNNFamily",
    "espcn": "models.espcn:ESPCNFamily",
    "foldsr": "models.foldsr:FoldSRFamily",
    "pix2pix": "models.pix2pix:Pix2Pix",
    "colorful": "models.colorful:Colorful",
    "faststyle": "models.faststyle:FastStyle",
}
"""Every family that can be trained, by the name used on the command line: `module:class`, imported when used."""


def load_family(name: str) -> type[Family]:
    """The class of the family called `name`.

    Raises:
        InputError: no family has that name; the message lists those there are.
    """
    if name not in FAMILIES:
        raise InputError("family", name, FAMILIES)
    module, _, attribute = FAMILIES[name].partition(":")
    family: type[Family] = getattr(importlib.import_module(module), attribute)
    return family
