"""Where `init_from` points: a registered version, or a file of weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from models.errors import InputError
from tasks.registry.loading import fetch_weights
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file

if TYPE_CHECKING:
    from models.families.family import FamilyConfig

FORMS = "SLOT@N, SLOT@champion, models:/SLOT/N, or a .safetensors file (relative to the checkout)"
VERSION = re.compile(r"(?=models:/|[^/]+@)(?:models:/)?(?P<slot>[^/@:]+)[/@](?P<version>[^/@]+)")
SUFFIX = ".safetensors"


class Initial(NamedTuple):
    """The weights that start a training: their file, its SHA-256, and where it comes from.

    `uri` is `models:/SLOT/N` for a version, by its number, or the file as the user named it.
    """

    path: Path
    sha256: str
    uri: str


def find_initial(settings: Settings, config: FamilyConfig) -> Initial | None:
    """The weights that the recipe's `init_from` names, checked against their digest; None when it names none.

    Raises:
        InputError: `init_from` has none of the accepted forms, or there is no such file.
        RegistryError: there is no such slot, version or alias, or its weights are lost.
    """
    given: str | None = getattr(config, "init_from", None)  # a family that is fitted at once has no starting weights
    if given is None:
        return None
    if given.endswith(SUFFIX):
        path = settings.root / given
        if not path.is_file():
            raise InputError("init_from", given, f"a file that is there; {path} is not")
        return Initial(path, digest_file(path), given)
    named = VERSION.fullmatch(given)
    if named is None:
        raise InputError("init_from", given, FORMS)
    version, path = fetch_weights(settings, named["slot"], named["version"])
    return Initial(path, digest_file(path), version.uri)


def name_source(config: FamilyConfig, initial: Initial | None) -> FamilyConfig:
    """The recipe with the version an alias stands for, so that it stays true when the alias moves on."""
    return config if initial is None else config.model_copy(update={"init_from": initial.uri})


def name_version(uri: str) -> str | None:
    """`SLOT@N`, the name in the lineage index of the version at `models:/SLOT/N`; None for a file."""
    found = VERSION.fullmatch(uri) if uri.startswith("models:/") else None
    return f"{found['slot']}@{found['version']}" if found else None
