"""MATHS: one file per family; knows nothing of Prefect, MLflow or DVC."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from models.errors import InputError

if TYPE_CHECKING:
    from models.families.family import Family

FAMILIES: dict[str, str] = {
    "dcgan": "models.generators.dcgan:DCGAN",
    "lsgan": "models.generators.lsgan:LSGAN",
    "wgan": "models.generators.wgan:WGAN",
    "sngan": "models.generators.sngan:SNGAN",
    "vae": "models.generators.vae:VAE",
    "pixelcnn": "models.generators.pixelcnn:PixelCNNFamily",
    "gp": "models.generators.gp:GP",
    "mrf": "models.generators.mrf:MRF",
    "srcnn": "models.editors.srcnn:SRCNNFamily",
    "espcn": "models.editors.espcn:ESPCNFamily",
    "foldsr": "models.editors.foldsr:FoldSRFamily",
    "pix2pix": "models.editors.pix2pix:Pix2Pix",
    "colorful": "models.editors.colorful:Colorful",
    "faststyle": "models.editors.faststyle:FastStyle",
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
